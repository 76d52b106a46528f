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
