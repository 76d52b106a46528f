using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Scaling;
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

    [Option("weight", HelpText = "Column of weights in the fit.")]
    public string? Weight { get; set; }

    [Option("seed-column", HelpText = "Column of seeds: runs that differ in nothing else tell the noise.")]
    public string? SeedColumn { get; set; }

    [Option("name", HelpText = "Column of names of the points (default: file:line).")]
    public string? NameColumn { get; set; }

    [Option("huber", HelpText = "Delta of Huber's loss on log residuals; 0: squares (default 1e-3 for two resources, else 0).")]
    public double? Huber { get; set; }

    [Option("drop-highest", HelpText = "Leave out this many of the highest losses.")]
    public int DropHighest { get; set; }

    [Option("bootstrap", Default = 1000, HelpText = "Resamples; 0: profile intervals only.")]
    [Key("resamples")]
    public int Bootstrap { get; set; }

    [Option("resampling", Default = BootstrapKind.Pairs, HelpText = "pairs: points are drawn anew; residuals: their residuals.")]
    public BootstrapKind Resampling { get; set; }

    [Option("at", HelpText = "Predict the loss there: R, or N,D; several places apart by blanks.")]
    public IEnumerable<string> At { get; set; } = [];

    [Option("target-loss", Separator = ',', HelpText = "What does this loss take? The resource, or the least compute and how to spend it.")]
    public IEnumerable<double> TargetLosses { get; set; } = [];

    [Option("compute", Separator = ',', HelpText = "The best model and amount of data for this compute, in FLOP.")]
    public IEnumerable<double> Computes { get; set; } = [];

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
            WeightColumn = Weight,
            SeedColumn = SeedColumn,
            NameColumn = NameColumn,
            Huber = Huber,
            DropHighest = DropHighest,
            Resamples = Bootstrap,
            Resampling = Resampling,
            At = [.. At.Select(Place)],
            TargetLosses = [.. TargetLosses],
            Computes = [.. Computes],
            Level = Level,
            Seed = Seed,
        }.Run();
        if (Json) Output.Json(answer);
        else FitTable.Print(answer, watch.Elapsed);
        return 0;
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
