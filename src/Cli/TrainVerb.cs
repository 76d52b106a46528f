using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using CommandLine;
using Spectre.Console;

namespace ChemScale.Cli;

[Verb("train", HelpText = "Train one model. Without --data or --molecules: on the built-in virtual library (synthetic).")]
[Example("chemscale train --data runs/moses --size 128 --epochs 2 --lr 1e-3 --batch 16 --out runs/chemgpt", "The paper's ChemGPT-4.7M.")]
[Example("chemscale train --model painn --data runs/ethanol --epochs 200 --threads 1 --out runs/painn", "A force field.")]
[Example("chemscale train --resume --out runs/painn", "Goes on where it stopped, to the bit.")]
internal sealed class TrainVerb : TrainingVerb
{
    [OptionGroup("Run")]
    [Option("out", HelpText = "Run directory (default runs/train).")]
    public string Out { get; set; } = Path.Combine("runs", "train");

    [Option("resume", HelpText = "Go on with the run in OUT from its last checkpoint; or with RUN, a complete run named behind it, as a longer experiment in OUT.")]
    public bool Resume { get; set; }

    [Option("committee", HelpText = "Force fields: train this many, alike but for their seeds (--seed and the numbers after it), into OUT/member-00 and so on; evaluate, "
        + "predict and simulate take OUT as --run, and tell how far the members are apart.")]
    public int? Committee { get; set; }

    [Value(0, MetaName = "RUN", HelpText = "With --resume: the complete run to go on with.")]
    public string? Parent { get; set; }

    [Option("rewarm", HelpText = "With --resume RUN: the schedule begins anew, warm-up and full length counted from there.")]
    public bool Rewarm { get; set; }

    public override int Run(CancellationToken stop)
    {
        if (Parent is not null && !Resume) throw new InputException("--resume", $"not given, and '{Parent}'", "options alone, or --resume RUN");
        if (Rewarm && Parent is null) throw new InputException("--rewarm", "without a run to go on with", "--resume RUN");
        if (Committee is null) return Train(Out, 0, stop);
        if (Parent is not null) throw new InputException("--committee", $"beside {Parent}", "new members; each goes on by itself");
        if (Committee is < 2 or > 99) throw new InputException("--committee", $"{Committee}", "2 to 99 members");
        if (!Resume) new RunDirectory(Out).RequireNew();
        for (int member = 0; member < Committee; member++)
        {
            string path = TrainedForceField.Member(Out, member);
            if (!Resume) new RunDirectory(path).RequireNew();
        }
        for (int member = 0; member < Committee && !stop.IsCancellationRequested; member++) Train(TrainedForceField.Member(Out, member), member, stop);
        return 0;
    }

    /// <param name="path">Run directory.</param>
    /// <param name="member">Of the committee: added to the seed.</param>
    /// <param name="stop">Puts it aside.</param>
    private int Train(string path, int member, CancellationToken stop)
    {
        var directory = new RunDirectory(path);
        if (Parent is not null && directory.IsStarted && directory.ReadExperiment().Training.Parent is null) directory.RequireNew();
        // Before any data are prepared there.
        if (!Resume) directory.RequireNew();
        else if (!directory.IsStarted && Parent is null) RequireDescribed(directory);
        // Options given beside --resume must agree with the run; they are never ignored.
        RunDirectory? begun = Parent is not null ? new RunDirectory(Parent) : Resume && directory.IsStarted ? directory : null;
        Experiment experiment = Build(Out, stop, begun is null ? null : Unnumbered(begun.ReadExperiment(), member));
        if (Parent is not null) experiment = Continuation.Of(Parent, experiment, Rewarm);
        Request().RequireHonoured([experiment]);
        experiment = experiment with { Seed = experiment.Seed + member };
        using ITrainingTask task = TrainingTasks.Create(experiment, stop);
        if (Committee is not null && task.ItemName != "frames") throw new InputException("--committee", $"a committee of {experiment.Model.Family.Title}", "a force field");
        var display = new TrainingDisplay();
        TrainingResult result;
        try
        {
            result = Trainer.Run(experiment, task, directory, new TrainerOptions
            {
                Resume = Resume,
                Begin = run => RunFacts.Keep(task, experiment, run),
                Progress = display,
                Warn = message => Console.Error.WriteLine("chemscale: warning: " + message),
                CancellationToken = stop,
            });
        }
        finally
        {
            display.Close();
        }
        RunFacts facts = RunFacts.Of(task, experiment);
        double? perMolecule = result.BestValidationLoss * facts.TokensPerMolecule;
        if (Json)
        {
            Output.Json(new { Experiment = experiment.Id, Directory = directory.Path, Facts = facts, Result = result, BestValidationLossPerMolecule = perMolecule });
        }
        else
        {
            Console.WriteLine($"{directory.Path}: {result.Reason} after {result.Steps} steps, {result.ItemsSeen:N0} {task.ItemName}, {result.Seconds:F1} s; "
                + (result.FinalValidationLoss is { } loss
                    ? $"validation loss {OneLine.Number(loss, 4)} (best {OneLine.Number(result.BestValidationLoss, 4)} at step {result.BestStep}{(perMolecule is { } nats ? $", {OneLine.Number(nats, 3)} nats a molecule" : "")})"
                    : "not validated yet"));
            Console.WriteLine($"  {facts.Parameters:N0} non-embedding parameters, {facts.Items:N0} unique training {facts.ItemName}; peak memory {PeakMemory.Text()}");
        }
        return 0;
    }

    private static Experiment Unnumbered(Experiment begun, int member) => begun with { Seed = begun.Seed - member };

    /// <summary>--resume begins a run where there is none yet, as batch scripts want it; but only one that somebody has described.</summary>
    private void RequireDescribed(RunDirectory directory)
    {
        string[] ofRuns = ["DONE", "FAILED", "facts.json", "metrics.csv", "metrics.jsonl", "checkpoints"];
        string? left = ofRuns.FirstOrDefault(name => Path.Exists(Path.Combine(directory.Path, name)));
        if (left is not null)
            throw new InputException(directory.Path, $"{left} and no experiment.yaml", "a run directory", "restore the file, or train in another directory");
        if (!IsDescribed) throw new InputException(
            directory.Path, "no experiment.yaml: no run to go on with", "the run directory of a training", "leave --resume out to begin one");
    }
}

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
        string validation = r.ValidationLoss is { } v ? $" | val [green]{OneLine.Number(v, 4)}[/]" : "";
        return $"step {r.Step}/{r.TotalSteps} | loss [yellow]{OneLine.Number(r.Loss, 4)}[/]{validation} | grad {r.GradientNorm:G3} | lr {r.LearningRate:G3} | "
            + $"{rate:N0} {r.ItemName}/s | ETA {left}";
    }
}
