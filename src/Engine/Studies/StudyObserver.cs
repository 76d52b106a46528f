using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Preparation;

namespace ChemScale.Engine.Studies;

/// <summary>Who wants to know how a study goes on.</summary>
public record StudyObserver
{
    /// <summary>A stage begins.</summary>
    public Action<string> Begin { get; init; } = static _ => { };

    public Action<string> Say { get; init; } = static _ => { };

    public Action<string> Warn { get; init; } = static _ => { };

    public IProgress<PreparationProgress>? Preparation { get; init; }

    /// <summary>Every step of every run, from the runs' threads.</summary>
    public IProgress<RunProgress>? Steps { get; init; }
}
