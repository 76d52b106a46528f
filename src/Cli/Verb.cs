using CommandLine;

namespace ChemScale.Cli;

/// <summary>One command of the command line: options as properties, and a call into the engine.</summary>
internal abstract class Verb
{
    [Option("json", HelpText = "Print the answer as JSON on standard output, for a program to read.")]
    public bool Json { get; set; }

    /// <summary>Does the work.</summary>
    /// <param name="stop">Cancelled by SIGINT and SIGTERM.</param>
    /// <returns>Exit code: 0 done, 1 failed.</returns>
    public abstract int Run(CancellationToken stop);
}
