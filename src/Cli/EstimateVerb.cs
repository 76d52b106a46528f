using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Estimates;
using CommandLine;

namespace ChemScale.Cli;

[Verb("estimate", HelpText = "Estimate final losses from the first part of recorded loss curves, and replay the curves to every pruner: TPE (training "
    + "performance estimation, not the Tree-structured Parzen Estimator), successive halving, ASHA, Hyperband, median and patient stopping.")]
[Example("chemscale estimate runs/tpe", "What the first part of recorded curves says about their ends.")]
[Example("chemscale estimate curves.csv --probe 0.1 --html runs/estimate.html", "Of anybody's curves, looking at a tenth.")]
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

    public override bool HearsSignals => false;

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
        if (Html is not null) EstimationPage.Write(report, Html, ShellWords.Join(["chemscale", .. Environment.GetCommandLineArgs().Skip(1)]));
        if (Json) Output.Json(report);
        else EstimateTable.Print(report);
        return 0;
    }
}

/// <summary>Estimates of recorded curves as tables for a terminal.</summary>
internal static class EstimateTable
{
    public static void Print(EstimationReport report)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"estimates from the first {100 * report.Probe:0.#} % of each run; predicted by {report.Estimator}, leaving one out"));
        var runs = new TextTable("run", "epochs", "TSE", "TSE-E", "TSE-EMA", "last", "LCGA", "power law", "predicted", "+-", "95 % interval", "final");
        foreach (RunEstimate r in report.Runs.OrderBy(r => r.Tse ?? double.PositiveInfinity))
        {
            double?[] figures = [r.Tse, r.TseE, r.TseEma, r.Last, r.Lcga, r.PowerLaw, r.Predicted, r.PredictedError];
            runs.Add([r.Name, r.Epochs.ToString("0.##", CultureInfo.InvariantCulture), .. figures.Select(Text),
                r.PredictedLow is null ? "-" : $"{Text(r.PredictedLow)}..{Text(r.PredictedHigh)}", r.Diverged ? "diverged" : r.Finished ? Text(r.Final) : "unfinished"]);
        }
        runs.Print();
        Console.WriteLine();
        var estimators = new TextTable(
            "estimator", "chooses", "regret", "runs", "R2 l-o-o", "within 95 %", "error", "rho", "tau", "R2 as is", "| within 20 %", "R2 l-o-o", "rho", "tau");
        foreach (EstimatorAssessment e in report.Estimators)
        {
            EstimatorQuality all = e.All, near = e.NearBest;
            bool tied = e.Tied.Count > 0;
            estimators.Add(e.Estimator, tied ? "-" : report.Runs[e.Selected].Name, tied ? "-" : Text(e.Regret), $"{all.Count}", Share(all.LeaveOneOutR2),
                all.WithinInterval is { } within ? $"{within} of {all.Count}" : "-", Text(all.LeaveOneOutRms), Share(all.Spearman), Share(all.Kendall),
                Share(all.DirectR2), $"| {near.Count}", Share(near.LeaveOneOutR2), Share(near.Spearman), Share(near.Kendall));
        }
        estimators.Print();
        if (report.Replay is { } replay)
        {
            Console.WriteLine();
            Console.WriteLine($"replay; the best run is {replay.BestRun}, {Text(replay.BestLoss)}");
            foreach (string line in replay.ToTable().Split('\n', StringSplitOptions.RemoveEmptyEntries)) Console.WriteLine("  " + line);
        }
        foreach (string note in report.Notes) Console.WriteLine("note: " + note);
    }

    private static string Text(double? value) => value?.ToString("G5", CultureInfo.InvariantCulture) ?? "-";

    private static string Share(double? value) => OneLine.Number(value, 3);
}

/// <summary>Columns as wide as their widest cell, two blanks apart: the first at its left, the others at their right.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> rows = [header];

    public void Add(params string[] row) => rows.Add(row);

    public void Print()
    {
        int[] widths = [.. header.Select((_, k) => rows.Max(r => r[k].Length))];
        foreach (string[] row in rows)
        {
            IEnumerable<string> padded = row.Select((cell, k) => k == 0 ? cell.PadRight(widths[k]) : cell.PadLeft(widths[k]));
            Console.WriteLine(("  " + string.Join("  ", padded)).TrimEnd());
        }
    }
}
