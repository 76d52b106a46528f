using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Extrapolation;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Fits;
using CommandLine;

namespace ChemScale.Cli;

[Verb("fit", HelpText = "Fit a scaling law to a .csv with named columns or to run directories.")]
[Example("chemscale fit runs/sweep --resource parameters --by items", "A law in model size for each amount of data.")]
[Example("chemscale fit points.csv --family chinchilla --at 1e8,1e9", "The law of both, and the loss that it predicts.")]
[Example("chemscale fit runs/sweep --resource compute --frontier --pool", "Along the best runs of each compute.")]
internal sealed class FitVerb : Verb
{
    public override bool HearsSignals => false;

    [Value(0, MetaName = "SOURCE", Required = true, HelpText = "One .csv, or run directories (or folders of them).")]
    public IEnumerable<string> Sources { get; set; } = [];

    [OptionGroup("Law")]
    [Option("family", Default = "power-law", HelpText = "power-law, power-law-with-floor, chinchilla, ...; a wrong name lists all.")]
    public string Family { get; set; } = "power-law";

    [Option("resource", HelpText = "What a law of one resource is a function of: parameters, data or compute.")]
    public Resource? Resource { get; set; }

    [OptionGroup("Columns")]
    [Option('n', "n-column", HelpText = "Column of N, non-embedding parameters.")]
    public string? N { get; set; }

    [Option('d', "d-column", HelpText = "Column of D, training tokens or frames; C / (6 N) where it is not given.")]
    public string? D { get; set; }

    [Option('c', "c-column", HelpText = "Column of C, training compute in FLOP.")]
    public string? C { get; set; }

    [Option("loss", Default = "loss", HelpText = "Column of the loss; of run directories loss, or loss_per_molecule: nats per molecule, whatever the tokens are.")]
    public string Loss { get; set; } = "loss";

    [Option("weight", HelpText = "Column of weights in the fit.")]
    public string? Weight { get; set; }

    [Option("seed-column", HelpText = "Column of seeds: runs that differ in nothing else tell the noise.")]
    public string? SeedColumn { get; set; }

    [Option("name", HelpText = "Column of names of the points (default: file:line).")]
    public string? NameColumn { get; set; }

    [OptionGroup("Points")]
    [Option("where", HelpText = "KEY=VALUE,VALUE...: only points of these values; columns of the .csv, or parameters, items and keys of the runs' experiments.")]
    public IEnumerable<string> Where { get; set; } = [];

    [Option("by", Separator = ',', HelpText = "KEY,...: a law for each combination of values of these columns or keys.")]
    public IEnumerable<string> By { get; set; } = [];

    [Option("pool", HelpText = "Mix points of different values of another resource in one law.")]
    public bool Pool { get; set; }

    [Option("frontier", HelpText = "Of a law in compute: only the runs that nothing cheaper equals.")]
    public bool Frontier { get; set; }

    [Option("huber", HelpText = "Delta of Huber's loss on log residuals; 0: squares (default 1e-3 for two resources, else 0).")]
    public double? Huber { get; set; }

    [Option("drop-highest", HelpText = "Leave out this many of the highest losses.")]
    public int DropHighest { get; set; }

    [OptionGroup("Intervals")]
    [Option("bootstrap", Default = 1000, HelpText = "Resamples; 0: profile intervals only.")]
    [Key("resamples")]
    public int Bootstrap { get; set; }

    [Option("resampling", Default = BootstrapKind.Pairs, HelpText = "pairs: points are drawn anew; residuals: their residuals.")]
    public BootstrapKind Resampling { get; set; }

    [OptionGroup("Predictions")]
    [Option("at", HelpText = "Predict the loss there: R, or N,D; several places apart by blanks.")]
    public IEnumerable<string> At { get; set; } = [];

    [Option("target-loss", Separator = ',', HelpText = "What does this loss take? The resource, or the least compute and how to spend it.")]
    public IEnumerable<double> TargetLosses { get; set; } = [];

    [Option("compute", Separator = ',', HelpText = "The best model and amount of data for this compute, in FLOP.")]
    public IEnumerable<double> Computes { get; set; } = [];

    [OptionGroup("Intervals")]
    [Option("level", Default = 0.95, HelpText = "Of the intervals.")]
    public double Level { get; set; }

    [Option("seed", Default = 1ul, HelpText = "Of the resampling.")]
    public ulong Seed { get; set; }

    internal override bool NeedsTensors => false;

    public override int Run(CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        IReadOnlyList<FitAnswer> answers = new FitRequest
        {
            Sources = [.. Sources],
            NColumn = N,
            DColumn = D,
            CColumn = C,
            LossColumn = Loss,
            Family = Family,
            Resource = Resource,
            WeightColumn = Weight,
            SeedColumn = SeedColumn,
            NameColumn = NameColumn,
            Where = [.. Where],
            By = [.. By],
            Pool = Pool,
            Frontier = Frontier,
            Huber = Huber,
            DropHighest = DropHighest,
            Resamples = Bootstrap,
            Resampling = Resampling,
            At = [.. At.Select(Place)],
            TargetLosses = [.. TargetLosses],
            Computes = [.. Computes],
            Level = Level,
            Seed = Seed,
        }.RunSeries();
        bool refused = answers.All(a => a.Claim.Grade == ClaimGrade.Refused);
        // One series alone is the answer; a refusal of it goes to standard error, like every other.
        if (Json && By.Any()) Output.Json(new { Series = answers });
        else if (Json) Output.Json(answers[0]);
        else if (By.Any() || !refused) FitTable.Print(answers, watch.Elapsed);
        if (!refused) return 0;
        bool mixed = !Pool && answers.All(a => a.Claim.Reason.Contains("pooled", StringComparison.Ordinal));
        Console.Error.WriteLine($"chemscale: fit refused: {(answers.Count == 1 ? answers[0].Claim.Words : "no series carries a law.")}"
            + (mixed ? " HINT: --by fits each alone, --where takes some, --pool mixes them" : ""));
        return 2;
    }

    private static double[] Place(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        double[] values = new double[parts.Length];
        for (int k = 0; k < parts.Length; k++)
        {
            if (!double.TryParse(parts[k], NumberStyles.Float, CultureInfo.InvariantCulture, out values[k]))
                throw new InputException("--at", $"'{text}'", "numbers such as 1e9, or 1e9,2e10 for N and D");
        }
        return values;
    }
}

/// <summary>The answer of a fit as a table for a terminal.</summary>
internal static class FitTable
{
    public static void Print(IReadOnlyList<FitAnswer> answers, TimeSpan elapsed)
    {
        foreach (FitAnswer answer in answers)
        {
            if (answer.Series.Count > 0) Line($"-- {string.Join(", ", answer.Series.Select(s => $"{s.Key} = {s.Value}"))}");
            Print(answer);
        }
        Line($"{elapsed.TotalSeconds:F1} s");
    }

    private static void Print(FitAnswer answer)
    {
        Claim claim = answer.Claim;
        Line($"{claim.GradeName}: {claim.Words}");
        if (answer.Diagnostics is not { } found) return;
        Line($"{claim.Law}   ({claim.Formula}; {claim.Points.Count} points, {claim.LeftOut.Count} left out; {found.LossFunction} on log {claim.Quantity})");
        foreach (string row in claim.Rows()) Line($"  {row}");
        foreach (IGrouping<string, ClaimOmission> left in claim.LeftOut.GroupBy(p => p.Reason))
            Line($"  left out: {left.Count()}, {left.Key}: {Some([.. left.Select(p => p.Name)])}");
        Line($"  objective {found.Objective:G16}, |gradient| {found.GradientNorm:G3}, R2 of log {claim.Quantity} {OneLine.Number(claim.R2, 5)}; {found.Resamples} resamples ({found.FailedResamples} failed)");
        foreach (string caution in claim.Cautions) Line($"  caution: {caution}");
        Print(answer.Evidence!);
        Answers(answer);
    }

    private static void Print(FitEvidence evidence)
    {
        if (evidence.Regime is { } regime)
        {
            Line($"power law: {(regime.WholeRange ? "over all points" : $"over {regime.Count} points only")}, {regime.Low:G4} to {regime.High:G4} ({OneLine.Number(regime.Decades, 1)} decades)");
            if (evidence.RegimeLaw is { } law) Line($"  there, {law.GradeName}: {law.Words}");
        }
        if (evidence.Saturation is { } s)
            Line($"levelling off: {s.Words}; E {s.E:G5} [{s.Low:G5}, {End(s.High)}], p = {s.PValue:G3} for E = 0");
        if (evidence.SeedNoise is { } noise)
        {
            string misfit = evidence.LackOfFitPValue is { } p ? string.Create(CultureInfo.InvariantCulture, $"; p = {p:G3} that the misfit is seeds alone") : "";
            Line($"seeds: {OneLine.Percent(noise.Error, 2)} of the loss [{OneLine.Percent(noise.ErrorInterval.Low, 2)}, {OneLine.Percent(noise.ErrorInterval.High, 2)}], {noise.Groups} groups{misfit}");
        }
        if (evidence.Extrapolation is { } test)
        {
            Line($"extrapolation: fitted to the {test.TrainingCount} runs of {test.Split.ToString().ToLowerInvariant()} up to {test.Threshold:G4}, scored on the {test.TestCount} above");
            foreach (ExtrapolationScore score in test.Scores)
            {
                Line(score.LogError is null ? (FormattableString)$"  -  {score.Form,-28} {score.Refusal}"
                    : $"  {score.Rank}  {score.Form,-28} error {OneLine.Percent(score.LogError, 2)}, bias {OneLine.Percent(score.Bias, 2)} (within the small {OneLine.Percent(score.TrainingError, 2)})");
            }
        }
        if (evidence.Frontier is { } frontier) Line($"compute frontier, {frontier.GradeName}: {frontier.Words}");
        if (evidence.IsoFlop is { } iso)
            foreach (Claim optimal in (Claim[])[iso.OptimalParameters, iso.OptimalData]) Line($"iso-FLOP minima, {optimal.GradeName}: {optimal.Words}");
    }

    private static void Answers(FitAnswer answer)
    {
        foreach (FitPrediction p in answer.Predictions)
        {
            string where = string.Join(
                ", ", p.Resources.Zip(answer.Claim.Resources, (value, r) => string.Create(CultureInfo.InvariantCulture, $"{r.ToString().ToLowerInvariant()} {value:G4}")));
            string beyond = p.Beyond > 1 ? string.Create(CultureInfo.InvariantCulture, $"; {p.Beyond:G3} times beyond the points") : "";
            Line(p.Loss is { } loss ? (FormattableString)$"at {where}: loss {OneLine.Number(loss, 4)}, profile {Text(p.Profile!)}{Both(p)}{beyond}" : $"at {where}: no answer, {p.Refusal}");
        }
        foreach (Requirement r in answer.Requirements)
        {
            string interval = r.Interval is { } i ? " bootstrap " + Text(i) : "";
            Line(r.Refusal.Length > 0 ? (FormattableString)$"loss {r.Loss:G5}: no answer, {r.Refusal}"
                : r.Value is { } value ? (FormattableString)$"loss {r.Loss:G5}: {r.Resource.ToString().ToLowerInvariant()} {value:G4}{interval}"
                : $"loss {r.Loss:G5}: out of reach{interval}");
        }
        foreach (ComputeAnswer c in answer.Optima)
        {
            Line(c.Optimum is { } o ? (FormattableString)$"compute {o.Compute:G4}: {Spent(o)}, loss {OneLine.Number(o.Loss, 4)}{Brackets(o.LossInterval)}"
                : $"compute {c.Compute:G4}: no answer, {c.Refusal}");
        }
        foreach (LeastCompute l in answer.LeastComputes)
        {
            Line(l.Refusal.Length > 0 ? (FormattableString)$"loss {l.Loss:G5}: no answer, {l.Refusal}"
                : l.Optimum is { } o ? (FormattableString)$"loss {l.Loss:G5}: compute {o.Compute:G4}{Brackets(l.Compute)}, {Spent(o)}"
                : $"loss {l.Loss:G5}: no compute reaches it");
        }
    }

    private static string Both(FitPrediction p) => p.Curve is { } curve && p.Run is { } run ? $", bootstrap {Text(curve)}, one further run by bootstrap {Text(run)}" : "";

    private static string Spent(ComputeOptimum o) => string.Create(CultureInfo.InvariantCulture,
        $"N {o.Parameters:G4}{Brackets(o.ParametersInterval)}, D {o.Data:G4}{Brackets(o.DataInterval)}");

    private static string Some(string[] names) => string.Join(", ", names.Take(6)) + (names.Length > 6 ? $" and {names.Length - 6} more" : "");

    private static string Brackets(ConfidenceInterval? interval) => interval is null ? "" : " bootstrap " + Text(interval);

    private static string Text(ConfidenceInterval interval) => $"[{End(interval.Low)}, {End(interval.High)}]";

    private static string End(double? end) => end?.ToString("G5", CultureInfo.InvariantCulture) ?? "-";

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
