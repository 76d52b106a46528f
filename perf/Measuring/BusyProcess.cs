using System.Diagnostics;
using System.Numerics;
using ChemScale.Perf.Commands;
using CommandLine;

namespace ChemScale.Perf.Measuring;

/// <summary>A neighbour: a process of this program that keeps one of our cores busy, and does nothing else, until it is disposed of.</summary>
internal sealed class BusyProcess : IDisposable
{
    /// <summary>Appended to the name of a side that was measured beside one.</summary>
    public const string Mark = " busy";

    private static readonly TimeSpan ToStart = TimeSpan.FromSeconds(30);

    private readonly Process process;

    public BusyProcess()
    {
        string[] words = [.. OwnWords(), "spin"];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        process = Process.Start(start)!;
        // Where a process can be kept to one. The highest: the system's own work comes to the lowest, as a rule.
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            process.ProcessorAffinity = (nint)(1L << BitOperations.Log2((ulong)process.ProcessorAffinity));
        if (process.StandardOutput.ReadLine() is null) throw new InvalidOperationException("the busy process ended");
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(ToStart)) process.Kill();
        process.Dispose();
    }

    /// <summary>What runs this program again: itself, or <c>dotnet</c> with its assembly.</summary>
    public static string[] OwnWords()
    {
        string host = Environment.ProcessPath!;
        // Of a host that runs others' code, such as a test's, only the assembly is ours.
        return Path.GetFileName(host) is "ChemScale.Perf" or "ChemScale.Perf.exe" ? [host] : [host, typeof(BusyProcess).Assembly.Location];
    }
}

/// <summary>What a <see cref="BusyProcess"/> runs. It ends with the pipe that it was given.</summary>
[Verb("spin", Hidden = true, HelpText = "Keep a core busy until standard input closes.")]
internal sealed class SpinVerb : Verb
{
    private volatile bool done;

    public override int Run(string[] arguments)
    {
        _ = Task.Run(() => done = Console.In.ReadToEnd() is not null);
        Console.WriteLine("busy");
        long turns = 0;
        while (!done) turns++;
        return turns > 0 ? 0 : 1;
    }
}
