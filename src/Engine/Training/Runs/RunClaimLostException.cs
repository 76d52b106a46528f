namespace ChemScale.Engine.Training.Runs;

/// <summary>Another process has taken the run directory over; this one must write nothing more into it.</summary>
public sealed class RunClaimLostException(string directory, string detail)
    : Exception($"{directory}: {detail}; this process stops writing to it")
{
    public string Directory { get; } = directory;
}
