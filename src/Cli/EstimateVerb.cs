using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Estimates;
using CommandLine;

namespace ChemScale.Cli;

[Verb("estimate", HelpText = "Estimate final losses from the first part of recorded loss curves, and replay the curves to every pruner: TPE (training "
    + "performance estimation, not the Tree-structured Parzen Estimator), successive halving, ASHA, Hyperband, median and patient stopping.")]
internal sealed class EstimateVerb : Verb
{
    [Value(0, MetaName = "SOURCES", Required = true, HelpText = "Run directories, folders of them, or .csv files: Lightning's metrics.csv, long (run, epoch or "
        + "step, loss), or wide (epoch or step, and a column for each run).")]
    public IEnumerable<string> Sources { get; set; } = [];

    [Option("probe", Default = 0.2, HelpText = "Share of the budget that the estimates look at.")]
    public double Probe { get; set; } = 0.2;

    [Option("probe-epochs", HelpText = "Epochs that they look at instead.")]
    public double? ProbeEpochs { get; set; }

    [Option("estimator", Default = "tse", HelpText = "What ranks and predicts: tse, tse-e, tse-ema, last, last-validation, lcga or power-law.")]
    public string Estimator { get; set; } = "tse";

    [Option("convention", HelpText = "standard, or litmatter: the columns of TSE as the paper's code computes them, one epoch further.")]
    public TseConvention Convention { get; set; }

    [Option("run-column", HelpText = "Of a long .csv: names the run of each row (default run).")]
    public string? RunColumn { get; set; }

    [Option("epoch-column", HelpText = "Of a .csv (default epoch).")]
    public string? EpochColumn { get; set; }

    [Option("step-column", HelpText = "Of a .csv (default step).")]
    public string? StepColumn { get; set; }

    [Option("loss-column", HelpText = "Of a long .csv, or of one of a single run.")]
    public string? LossColumn { get; set; }

    [Option("steps-per-epoch", HelpText = "Where a .csv has steps and no epochs.")]
    public int? StepsPerEpoch { get; set; }

    [Option("power", HelpText = "RUN=FILE...: logs of time and watts, such as nvidia-smi's, of single runs; a power.csv in a run directory needs no naming.")]
    public IEnumerable<string> Power { get; set; } = [];

    [Option("html", HelpText = "Write a page with figures here, their numbers under figures/ beside it.")]
    public string? Html { get; set; }

    public override int Run(CancellationToken stop)
    {
        EstimationReport report = new CurveEstimation
        {
            Curves = CurveSources.Read([.. Sources], new CurveColumns
            {
                Run = RunColumn,
                Epoch = EpochColumn,
                Step = StepColumn,
                Loss = LossColumn,
                StepsPerEpoch = StepsPerEpoch,
            }, [.. Power]),
            Probe = Probe,
            ProbeEpochs = ProbeEpochs,
            Estimator = ProbeEstimators.Parse(Estimator, "--estimator"),
            Convention = Convention,
        }.Run();
        if (Html is not null) EstimationPage.Write(report, Html, "chemscale " + string.Join(' ', Environment.GetCommandLineArgs().Skip(1)));
        if (Json) Output.Json(report);
        else EstimateTable.Print(report);
        return 0;
    }
}
