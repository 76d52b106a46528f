using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Training;
using Spectre.Console;

namespace ChemScale.Cli;

/// <summary>The line of a training in progress: rewritten in place on a terminal, a plain line now and then elsewhere. On standard error.</summary>
internal sealed class TrainingDisplay : IProgress<StepReport>
{
    private static readonly TimeSpan LivePeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainPeriod = TimeSpan.FromSeconds(5);

    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly Stopwatch total = Stopwatch.StartNew();
    private long lastShown = -1;
    private double rate;
    private bool open;
    private long firstStep = -1;

    public void Report(StepReport value)
    {
        if (firstStep < 0) firstStep = value.Step - 1;
        rate = rate == 0 ? value.ItemsPerSecond : 0.9 * rate + 0.1 * value.ItemsPerSecond;
        long now = total.ElapsedTicks;
        bool due = lastShown < 0 || Stopwatch.GetElapsedTime(lastShown, now) >= (live ? LivePeriod : PlainPeriod);
        if (!due && value.Step != value.TotalSteps) return;
        lastShown = now;
        string line = Line(value);
        if (live)
        {
            // Erase the line, then write: no flicker, no scrolling.
            Console.Error.Write("\r\x1b[2K");
            console.Markup(line);
            open = true;
        }
        else
        {
            Console.Error.WriteLine(Markup.Remove(line));
        }
    }

    /// <summary>Leaves the cursor on a new line.</summary>
    public void Close()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }

    private string Line(StepReport r)
    {
        double perStep = total.Elapsed.TotalSeconds / Math.Max(1, r.Step - firstStep);
        string left = TimeSpan.FromSeconds(perStep * Math.Max(0, r.TotalSteps - r.Step)).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
        string validation = r.ValidationLoss is { } v ? $" | val [green]{v:F4}[/]" : "";
        return $"step {r.Step}/{r.TotalSteps} | loss [yellow]{r.Loss:F4}[/]{validation} | grad {r.GradientNorm:G3} | lr {r.LearningRate:G3} | "
            + $"{rate:N0} {r.ItemName}/s | ETA {left}";
    }
}
