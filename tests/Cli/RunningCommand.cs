using System.Diagnostics;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>A command in a process of its own.</summary>
internal sealed class RunningCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>These tests are a script's background job, whose SIGINT is ignored, or under nohup, SIGHUP: what they start would rightly ignore it too.</summary>
    private static readonly string[] Ignored = OperatingSystem.IsLinux() ? [.. new[] { ("HUP", 1), ("INT", 2) }.Where(s => (Convert.ToUInt64(
        File.ReadLines("/proc/self/status").Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim(), 16) & 1UL << (s.Item2 - 1)) != 0)
        .Select(s => s.Item1)] : [];

    private static readonly string ResetSignals = $"--default-signal={string.Join(',', Ignored)}";

    private static readonly Lazy<bool> ResetsSignals = new(() =>
    {
        using Process env = Process.Start(new ProcessStartInfo("env", [ResetSignals, "true"]) { RedirectStandardError = true })!;
        env.WaitForExit();
        return env.ExitCode == 0;
    });

    private readonly Process process;
    private readonly Task<string> output;
    private readonly Task<string> error;
    private readonly Task input;

    public RunningCommand(ProcessStartInfo start, byte[]? input)
    {
        if (Ignored.Length > 0 && ResetsSignals.Value)
        {
            start.ArgumentList.Insert(0, start.FileName);
            start.ArgumentList.Insert(0, ResetSignals);
            start.FileName = "env";
        }
        process = Process.Start(start)!;
        output = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEndAsync();
        this.input = Feed(input ?? []);
    }

    public int Id => process.Id;

    /// <summary>SIGINT, SIGTERM, SIGUSR1 or SIGKILL, by name without SIG.</summary>
    public void Signal(string name)
    {
        if (Ignored.Contains(name) && !ResetsSignals.Value)
        {
            process.Kill(entireProcessTree: true);
            Assert.Ignore($"SIG{name} is ignored by what started these tests, and env knows no --default-signal");
        }
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
