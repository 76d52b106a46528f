using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Fits;
using CommandLine;

namespace ChemScale.Cli;

[Verb("fit", HelpText = "Fit a scaling law to a .csv with named columns or to run directories.")]
internal sealed class FitVerb : Verb
{
    [Value(0, MetaName = "SOURCE", Required = true, HelpText = "One .csv, or run directories (or folders of them).")]
    public IEnumerable<string> Sources { get; set; } = [];

    [Option("family", Default = "power-law", HelpText = "power-law, power-law-with-floor, chinchilla, ...; a wrong name lists all.")]
    public string Family { get; set; } = "power-law";

    [Option("resource", HelpText = "What a law of one resource is a function of: parameters, data or compute.")]
    public Resource? Resource { get; set; }

    [Option('n', "n-column", HelpText = "Column of N, non-embedding parameters.")]
    public string? N { get; set; }

    [Option('d', "d-column", HelpText = "Column of D, training tokens or frames; C / (6 N) where it is not given.")]
    public string? D { get; set; }

    [Option('c', "c-column", HelpText = "Column of C, training compute in FLOP.")]
    public string? C { get; set; }

    [Option("loss", Default = "loss", HelpText = "Column of the loss.")]
    public string Loss { get; set; } = "loss";

    [Option("huber", HelpText = "Delta of Huber's loss on log residuals; 0: squares (default 1e-3 for two resources, else 0).")]
    public double? Huber { get; set; }

    [Option("drop-highest", HelpText = "Leave out this many of the highest losses.")]
    public int DropHighest { get; set; }

    [Option("bootstrap", Default = 1000, HelpText = "Resamples; 0: profile intervals only.")]
    public int Bootstrap { get; set; }

    [Option("level", Default = 0.95, HelpText = "Of the intervals.")]
    public double Level { get; set; }

    [Option("seed", Default = 1ul, HelpText = "Of the resampling.")]
    public ulong Seed { get; set; }

    public override int Run(CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        FitAnswer answer = new FitRequest
        {
            Sources = [.. Sources],
            NColumn = N,
            DColumn = D,
            CColumn = C,
            LossColumn = Loss,
            Family = Family,
            Resource = Resource,
            Huber = Huber,
            DropHighest = DropHighest,
            Resamples = Bootstrap,
            Level = Level,
            Seed = Seed,
        }.Run();
        if (Json) Output.Json(answer);
        else Print(answer, watch.Elapsed);
        return 0;
    }

    private static void Print(FitAnswer answer, TimeSpan elapsed)
    {
        ScalingFit fit = answer.Fit;
        Console.WriteLine($"{fit.Formula}   ({fit.PointCount} points, {fit.Excluded.Count} excluded; {fit.LossFunction} on log loss)");
        foreach (FittedParameter p in fit.Parameters)
        {
            string line = string.Create(CultureInfo.InvariantCulture, $"  {p.Name,-8} {p.Value,-16:G9} profile {Text(answer.Profile.First(i => i.Name == p.Name))}");
            if (answer.Bootstrap is { } bootstrap) line += $"  bootstrap {Text(bootstrap.First(i => i.Name == p.Name))}";
            Console.WriteLine(line);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  objective {fit.Objective:G16}, |gradient| {fit.GradientNorm:G3}, R2 of log loss {fit.R2:F5}; {answer.Resamples} resamples ({answer.FailedResamples} failed), {elapsed.TotalSeconds:F1} s"));
        foreach (string caution in fit.Cautions) Console.WriteLine("  caution: " + caution);
    }

    private static string Text(ParameterInterval interval) =>
        string.Create(CultureInfo.InvariantCulture, $"[{interval.Low?.ToString("G5", CultureInfo.InvariantCulture) ?? "-"}, {interval.High?.ToString("G5", CultureInfo.InvariantCulture) ?? "-"}]");
}
