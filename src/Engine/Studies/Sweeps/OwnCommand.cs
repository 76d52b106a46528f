namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>The command that runs this program again.</summary>
public static class OwnCommand
{
    /// <summary>File and first arguments: the program itself, or the host with the assembly that it runs.</summary>
    public static IReadOnlyList<string> Words { get; } = Find();

    private static string[] Find()
    {
        string process = Environment.ProcessPath ?? throw new InvalidOperationException("no path of the running program");
        string assembly = Path.GetFullPath(Environment.GetCommandLineArgs()[0]);
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, assembly] : [process];
    }
}

/// <summary>What a worker in a process of its own is asked to do; which words ask for it is the program's.</summary>
/// <param name="Directory">Of the plan.</param>
/// <param name="Threads">CPU threads.</param>
public sealed record WorkerCall(string Directory, int Threads)
{
    public SweepStage Stage { get; init; } = SweepStage.All;

    /// <summary>The only run, from 0, or a variable of the shell that holds it; null: all runs.</summary>
    public string? Index { get; init; }

    /// <summary>Put the run aside and end when standard input closes.</summary>
    public bool StopOnClosedInput { get; init; }
}
