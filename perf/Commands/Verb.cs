namespace ChemScale.Perf.Commands;

/// <summary>One command of the program.</summary>
internal abstract class Verb
{
    /// <returns>Exit code.</returns>
    public abstract int Run(string[] arguments);
}
