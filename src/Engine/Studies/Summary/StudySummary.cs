using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Summary;

/// <summary>Everything a study found: what summary.json holds and the report shows. Losses in nats per token, unless a family says otherwise.</summary>
public sealed record StudySummary
{
    public required string Title { get; init; }

    /// <summary>The command line that makes this study again.</summary>
    public required string Command { get; init; }

    public required DateTimeOffset Started { get; init; }

    public required double Seconds { get; init; }

    public required HostFacts Host { get; init; }

    /// <summary>One part per model family, in the order they ran.</summary>
    public required IReadOnlyList<StudyPart> Parts { get; init; }
}

/// <summary>The machine a study ran on.</summary>
public sealed record HostFacts(string System, string Runtime, int Cores, string Device, string Version);

/// <summary>One model family on one data set: selection, grid, fits.</summary>
public sealed record StudyPart
{
    /// <summary>Name shown: ChemGPT, PaiNN.</summary>
    public required string Family { get; init; }

    /// <summary>Unit of the loss: nats per token.</summary>
    public required string LossUnit { get; init; }

    /// <summary>What D and S count: tokens, frames.</summary>
    public required string ItemName { get; init; }

    public required DataFacts Data { get; init; }

    public required SelectionSummary Selection { get; init; }

    public required GridSummary Grid { get; init; }

    /// <summary>Commands that redo single steps, each with what it does.</summary>
    public IReadOnlyList<CommandNote> Commands { get; init; } = [];
}

public sealed record CommandNote(string Purpose, string Command);
