using System.Diagnostics;

namespace ChemScale.Cli;

/// <summary>The count of frames done, on standard error: one line that changes on a terminal, a line now and then elsewhere.</summary>
internal sealed class FrameDisplay : IDisposable
{
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly TimeSpan period = Console.IsErrorRedirected ? TimeSpan.FromSeconds(10) : TimeSpan.FromMilliseconds(200);
    private readonly long start = Stopwatch.GetTimestamp();
    private long last = Stopwatch.GetTimestamp();
    private bool open;

    public void Report(long frames)
    {
        if (Stopwatch.GetElapsedTime(last) < period) return;
        last = Stopwatch.GetTimestamp();
        string line = $"{frames:N0} frames, {frames / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s";
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }

    public void Dispose()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }
}
