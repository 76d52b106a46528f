using ChemScale.Engine;
using ChemScale.Engine.Studies.Search;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Which configurations are probed, by what they are ranked, which of them go on.</summary>
internal sealed partial class TpeVerb
{
    [OptionGroup("Search")]
    [Option("space", Default = "grid",
        HelpText = "grid of --rates and --batches (default), log-uniform or sobol over --rate-range and --batch-range. The default of Hugging Face's "
        + "trainer, 5e-5 and 8, is always among the configurations.")]
    public string Space { get; set; } = "grid";

    [Option("count", HelpText = "Configurations to sample (default 12).")]
    public int? Count { get; set; }

    [Option("rate-range", HelpText = "LOW,HIGH of sampled learning rates (default 2e-5,5e-3).")]
    public string? RateRange { get; set; }

    [Option("batch-range", HelpText = "LOW,HIGH of sampled batch sizes, which are powers of two (default 4,64; force fields 1,16).")]
    public string? BatchRange { get; set; }

    [Option("estimator", HelpText = EstimatorText.Ranks)]
    public string? Estimator { get; set; }

    [Option("keep", HelpText = "best (default), or undecided: finish a few to calibrate, then all that the regression's error does not tell from the best.")]
    public KeepRule Keep { get; set; }

    private SearchSpace SearchedSpace()
    {
        SpaceKind kind = SpaceRanges.ParseKind(Space, "--space");
        if (kind == SpaceKind.Grid)
        {
            if (Count is not null || RateRange is not null || BatchRange is not null)
                throw new InputException("--count, --rate-range, --batch-range", "given for a grid", "--rates and --batches", "--space sobol samples ranges");
            return SearchSpace.Grid(Rates.Any() ? Rates : [5e-5, 3e-4, 1e-3, 4e-3], Batches.Any() ? Batches : [8, 16, 32]);
        }
        if (Rates.Any() || Batches.Any()) throw new InputException("--rates, --batches", "given for a sampled space", "--rate-range and --batch-range");
        (int smallest, int largest) = Request().ResolveFamily().SearchedBatches;
        var ranges = new SpaceRanges { Seed = (ulong)(Seed ?? 42), Count = Count ?? 12, SmallestBatch = smallest, LargestBatch = largest };
        if (RateRange is { } rates)
        {
            (double low, double high) = SpaceRanges.Parse(rates, "--rate-range");
            ranges = ranges with { LowestRate = low, HighestRate = high };
        }
        if (BatchRange is { } batches)
        {
            (double low, double high) = SpaceRanges.Parse(batches, "--batch-range");
            ranges = ranges with { SmallestBatch = (int)Math.Ceiling(low), LargestBatch = (int)Math.Min(1 << 20, Math.Floor(high)) };
        }
        return SearchSpace.Sampled(kind, ranges);
    }
}

/// <summary>Words of the option that several verbs have.</summary>
internal static class EstimatorText
{
    public const string Ranks = "What ranks the probes: tse (the paper's sum), tse-e, tse-ema, last, last-validation, lcga, power-law, annealed or annealed-validation (default: "
        + "as a search in OUT began; else annealed-validation where the schedule is cooldown, tse where it is cosine, tse-e otherwise).";
}
