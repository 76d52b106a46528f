using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Simulation;

namespace ChemScale.Cli;

/// <summary>
/// The line of a simulation in progress: rewritten in place on a terminal, a plain line now and then elsewhere. On standard error.
/// </summary>
internal sealed class SimulationDisplay : IProgress<SimulationProgress>
{
    private static readonly TimeSpan LivePeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainPeriod = TimeSpan.FromSeconds(5);

    private readonly bool live = !Console.IsErrorRedirected;
    private readonly long started = Stopwatch.GetTimestamp();
    private TimeSpan shown;
    private bool open;

    public void Report(SimulationProgress value)
    {
        TimeSpan now = Stopwatch.GetElapsedTime(started);
        if (now - shown < (live ? LivePeriod : PlainPeriod)) return;
        shown = now;
        string left = (now / value.Step * (value.TotalSteps - value.Step)).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
        string what = value.Temperature is { } kelvin ? $"temperature {kelvin:F1} K" : $"greatest force {value.MaximumForce:G4} eV/A";
        string line = $"step {value.Step}/{value.TotalSteps} | energy {value.Energy:F6} eV | {what} | at most {left} left";
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }

    /// <summary>Leaves the cursor on a new line.</summary>
    public void Close()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }
}
