using System.Diagnostics;

namespace ChemScale.Tests.Cli;

/// <summary>A command in a process of its own.</summary>
internal sealed class RunningCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> error;
    private readonly Task input;

    public RunningCommand(ProcessStartInfo start, byte[]? input)
    {
        process = Process.Start(start)!;
        output = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEndAsync();
        this.input = Feed(input ?? []);
    }

    public int Id => process.Id;

    /// <summary>SIGINT, SIGTERM, SIGUSR1 or SIGKILL, by name without SIG.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", ["-s", name, $"{process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits until something is so; false where the command ended first.</summary>
    public bool Await(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (process.HasExited) return false;
            if (watch.Elapsed > Patience) throw new TimeoutException("what was waited for did not come");
            Thread.Sleep(2);
        }
        return true;
    }

    /// <param name="patience">Null: two minutes.</param>
    public Outcome Wait(TimeSpan? patience = null)
    {
        if (!process.WaitForExit(patience ?? Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"the command did not end: {error.Result}");
        }
        input.GetAwaiter().GetResult();
        var outcome = new Outcome(process.ExitCode, output.Result, error.Result);
        process.Dispose();
        return outcome;
    }

    private async Task Feed(byte[] bytes)
    {
        try
        {
            await using Stream stream = process.StandardInput.BaseStream;
            await stream.WriteAsync(bytes);
        }
        catch (IOException)
        {
            // The command did not want it all.
            return;
        }
    }
}
