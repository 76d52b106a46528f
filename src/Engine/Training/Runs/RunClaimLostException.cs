namespace ChemScale.Engine.Training.Runs;

/// <summary>The run directory is no longer this process's: taken over, or gone. It must write nothing more into it.</summary>
internal sealed class RunClaimLostException(string directory, string detail)
    : Exception($"{directory}: {detail}; this process stops writing to it")
{
    public string Directory { get; } = directory;
}

/// <summary>A file of a run was deleted, replaced or changed by somebody else while the run was writing: the run is not what it says.</summary>
internal sealed class RunFilesLostException(string file, string detail)
    : Exception($"{file}: {detail}")
{
    public string File { get; } = file;
}
