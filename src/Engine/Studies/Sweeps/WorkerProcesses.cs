using System.Diagnostics;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>
/// Workers in processes of their own, on this machine. Each reads a pipe that nobody writes to: when it closes, because a stop was asked for
/// or because this process died, the worker puts its run aside.
/// </summary>
public sealed record WorkerProcesses
{
    /// <summary>How many.</summary>
    public required int Count { get; init; }

    /// <summary>Threads of each; 0: the cores divided by <see cref="Count"/>.</summary>
    public int Threads { get; init; }

    /// <summary>Lines of the workers, with their number.</summary>
    public Action<string> Say { get; init; } = static _ => { };

    /// <param name="command">Words that run a worker.</param>
    /// <param name="directory">Of the plan.</param>
    /// <param name="stop">Lets every worker put its run aside.</param>
    /// <returns>Exit code of each; negative or above 128 where it was killed.</returns>
    public IReadOnlyList<int> Run(Func<WorkerCall, IReadOnlyList<string>> command, string directory, CancellationToken stop = default)
    {
        int threads = Threads > 0 ? Threads : Math.Max(1, ProcessorBudget.Count / Count);
        Process[] workers = [.. Enumerable.Range(0, Count).Select(_ => Start(command(new WorkerCall(directory, threads) { StopOnClosedInput = true })))];
        try
        {
            using CancellationTokenRegistration closing = stop.Register(() =>
            {
                foreach (Process worker in workers) worker.StandardInput.Close();
            });
            Task[] readers = [.. workers.SelectMany((w, i) => (Task[])[Relay(w.StandardOutput, i), Relay(w.StandardError, i)])];
            foreach (Process worker in workers) worker.WaitForExit();
            Task.WaitAll(readers, CancellationToken.None);
            int[] codes = [.. workers.Select(w => w.ExitCode)];
            for (int i = 0; i < codes.Length; i++) Say($"worker {i}: process {workers[i].Id} ended with code {codes[i]}");
            stop.ThrowIfCancellationRequested();
            return codes;
        }
        finally
        {
            foreach (Process worker in workers) worker.Dispose();
        }
    }

    private static Process Start(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start");
    }

    private async Task Relay(StreamReader lines, int worker)
    {
        while (await lines.ReadLineAsync().ConfigureAwait(false) is { } line) Say($"worker {worker}: {line}");
    }
}

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
