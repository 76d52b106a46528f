using ChemScale.Engine;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

[Verb("tpe", HelpText = "Choose learning rate and batch size by Training Performance Estimation (not the Tree-structured Parzen Estimator): "
    + "probe all, rank by an early figure of their losses, finish only the best.")]
[Example("chemscale tpe --data runs/moses --layers 4 --width 64 --limit 2000 --epochs 50", "Learning rate and batch size for a ChemGPT, from a tenth of each run.")]
[Example("chemscale tpe --data runs/ethanol --model painn --space sobol --count 12 --epochs 100", "Twelve sampled configurations of a PaiNN.")]
internal sealed partial class TpeVerb : DistributedVerb
{
    [OptionGroup("Search")]
    [Option("rates", Separator = ',', HelpText = "Learning rates (default 5e-5,3e-4,1e-3,4e-3).")]
    public IEnumerable<double> Rates { get; set; } = [];

    [Option("batches", Separator = ',', HelpText = "Batch sizes (default 8,16,32).")]
    public IEnumerable<int> Batches { get; set; } = [];

    [Option("probe-epochs", HelpText = "Epochs of a probe (default: a fifth of --epochs).")]
    public int? ProbeEpochs { get; set; }

    [Option("validate", HelpText = "Finish every configuration, and compare predictions with the truth.")]
    public bool Validate { get; set; }

    [Option("parallel", HelpText = "Runs side by side (default: one for each thread that is ours: see doctor).")]
    public int Parallel { get; set; }

    [Option("out", HelpText = "Folder of the runs (default runs/tpe); an interrupted search goes on there.")]
    public string Out { get; set; } = Path.Combine("runs", "tpe");

    public override int Run(CancellationToken stop)
    {
        if (Parallel < 0) throw new InputException("--parallel", $"{Parallel}", "1 or more");
        Distribution.Check();
        if (Distribution.Elsewhere && Keep != KeepRule.Best)
            throw new InputException("--keep", "undecided, with --workers or --slurm", "best", "the undecided are found while others are finished: in one process");
        foreach ((string option, bool given, string own) in (ReadOnlySpan<(string, bool, string)>)[("--lr", LearningRate is not null, "--rates or --rate-range"),
            ("--batch", Batch is not null, "--batches or --batch-range"), ("--steps", Steps is not null, "--epochs"), ("--patience", Patience is not null, "--epochs"),
            ("--parallel", Parallel > 0 && Distribution.Elsewhere, "--workers")])
            if (given) throw new InputException(option, "given for a search, which has its own", own);
        int epochs = Epochs ?? 50;
        var search = new TrainingPerformanceSearch
        {
            Space = SearchedSpace(),
            Estimator = Estimator is null ? null : ProbeEstimators.Parse(Estimator, "--estimator"),
            Keep = Keep,
            Base = Build(Out, stop),
            Epochs = epochs,
            ProbeEpochs = ProbeEpochs ?? Math.Max(1, epochs / 5),
            Validate = Validate,
        };
        RunSelection steps = search.Plan(Path.GetFullPath(Out));
        Request().RequireHonoured([.. steps.Runs.Select(r => r.Experiment)]);
        if (Distribution.Elsewhere)
        {
            var plan = new SweepPlan(Path.GetFullPath(Out), steps.Runs, steps.Spec, steps.Default);
            if (Distribute(plan.Write(), stop)) Tell(steps.Summarize(steps.Select()), search);
            return 0;
        }
        using var display = new StudyDisplay();
        display.Observer.Begin($"training performance estimation: {search.Space.Configurations.Count} configurations, {search.ProbeEpochs} of {epochs} epochs each");
        var runner = new LocalRunner
        {
            Parallel = Parallel > 0 ? Parallel : ProcessorBudget.Count,
            ThreadsPerRun = Threads ?? 0,
            Progress = display,
            Warn = display.Observer.Warn,
        };
        SelectionSummary summary = search.Run(Out, runner, stop);
        display.Close();
        Tell(summary, search);
        return 0;
    }

    private void Tell(SelectionSummary summary, TrainingPerformanceSearch search)
    {
        string page = SearchPage.Write(summary, search.Base, Out, ShellWords.Join(["chemscale", .. Environment.GetCommandLineArgs().Skip(1)]),
            [new("The same curves fed to every pruner", $"chemscale estimate {Out} --html {Path.Combine(Out, "replay", "replay.html")}")]);
        SelectionTable.Print(summary, Json);
        if (!Json) Console.WriteLine(page);
    }
}
