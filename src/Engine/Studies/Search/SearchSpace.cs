using System.Globalization;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Studies.Search;

/// <summary>One setting of the two hyperparameters that the paper varies together.</summary>
public sealed record Configuration(double LearningRate, int BatchSize)
{
    /// <summary>Learning rate 5e-5, batch size 8: the defaults of Hugging Face's TrainingArguments.</summary>
    public static Configuration HuggingFaceDefault { get; } = new(5e-5, 8);

    public string Name => string.Create(CultureInfo.InvariantCulture, $"lr-{LearningRate:G4}-batch-{BatchSize}");
}

/// <summary>The configurations of a search, without repeats; the one that people start from is always among them.</summary>
public sealed record SearchSpace
{
    private SearchSpace(IReadOnlyList<Configuration> configurations, Configuration start)
    {
        Configurations = configurations;
        Default = start;
    }

    public IReadOnlyList<Configuration> Configurations { get; }

    /// <summary>What selection has to beat.</summary>
    public Configuration Default { get; }

    /// <summary>Every learning rate with every batch size, and the default: null for Hugging Face's.</summary>
    /// <exception cref="InputException">A list is empty, or holds something that is no learning rate or batch size.</exception>
    public static SearchSpace Grid(IEnumerable<double> learningRates, IEnumerable<int> batchSizes, Configuration? start = null)
    {
        start ??= Configuration.HuggingFaceDefault;
        double[] rates = [.. learningRates];
        int[] batches = [.. batchSizes];
        if (rates.Length == 0 || rates.Any(r => !(r > 0) || double.IsInfinity(r)))
            throw new InputException("learning rates", string.Join(",", rates), "one or more positive numbers");
        if (batches.Length == 0 || batches.Any(b => b < 1)) throw new InputException("batch sizes", string.Join(",", batches), "one or more sizes of at least 1");
        IEnumerable<Configuration> grid = rates.SelectMany(rate => batches.Select(batch => new Configuration(rate, batch)));
        return new SearchSpace([.. grid.Append(start).Distinct()], start);
    }

    /// <summary>Sampled configurations, and the default: null for Hugging Face's.</summary>
    /// <exception cref="InputException">A range is empty, or the kind is the grid.</exception>
    public static SearchSpace Sampled(SpaceKind kind, SpaceRanges ranges, Configuration? start = null)
    {
        start ??= Configuration.HuggingFaceDefault;
        if (kind == SpaceKind.Grid) throw new InputException("search space", "grid", "log-uniform or sobol, which have ranges");
        return new SearchSpace([.. ranges.Sample(kind).Append(start).Distinct()], start);
    }
}

/// <summary>How configurations are chosen.</summary>
public enum SpaceKind
{
    /// <summary>Every learning rate with every batch size.</summary>
    Grid,

    /// <summary>Independent draws, uniform in the logarithm.</summary>
    LogUniform,

    /// <summary>The two-dimensional Sobol sequence in the logarithms, shifted by the seed.</summary>
    Sobol,
}

/// <summary>Ranges of learning rate and batch size that are sampled together; batch sizes are powers of two.</summary>
public sealed record SpaceRanges
{
    public double LowestRate { get; init; } = 2e-5;

    public double HighestRate { get; init; } = 5e-3;

    public int SmallestBatch { get; init; } = 4;

    public int LargestBatch { get; init; } = 64;

    /// <summary>Configurations to sample, the default not counted; repeats are drawn again.</summary>
    public int Count { get; init; } = 12;

    public ulong Seed { get; init; } = 42;

    /// <summary>grid, log-uniform or sobol.</summary>
    public static SpaceKind ParseKind(string text, string option) => text.ToLowerInvariant() switch
    {
        "grid" => SpaceKind.Grid,
        "log-uniform" => SpaceKind.LogUniform,
        "sobol" => SpaceKind.Sobol,
        _ => throw new InputException(option, $"'{text}'", "grid, log-uniform or sobol"),
    };

    /// <summary>LOW,HIGH of an option.</summary>
    public static (double Low, double High) Parse(string text, string option)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        return parts.Length == 2 && double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double low)
            && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double high) && low > 0 && low <= high && double.IsFinite(high)
            ? (low, high) : throw new InputException(option, $"'{text}'", "LOW,HIGH, both above 0");
    }

    /// <exception cref="InputException">A range is empty or holds no power of two, or there are not that many different configurations.</exception>
    public IReadOnlyList<Configuration> Sample(SpaceKind kind)
    {
        if (!(LowestRate > 0) || !(LowestRate <= HighestRate) || double.IsInfinity(HighestRate))
            throw new InputException("learning rates", $"{LowestRate} to {HighestRate}", "two positive numbers, the lower first");
        int first = (int)Math.Ceiling(Math.Log2(Math.Max(1, SmallestBatch)) - 1e-9), last = (int)Math.Floor(Math.Log2(Math.Max(1, LargestBatch)) + 1e-9);
        if (SmallestBatch < 1 || first > last) throw new InputException("batch sizes", $"{SmallestBatch} to {LargestBatch}", "a range that holds a power of two");
        if (Count < 1) throw new InputException("configurations", $"{Count}", "1 or more");
        var sobol = new SobolSequence(2, Seed);
        var random = new CounterRandom(Seed, 0);
        var found = new List<Configuration>();
        // Rates are rounded to three digits, so that names tell them apart; a range of one rate repeats soon.
        for (int k = 0; found.Count < Count && k < 100 * Count; k++)
        {
            double[] u = kind == SpaceKind.Sobol ? sobol.Point(k) : [random.NextDouble(), random.NextDouble()];
            double rate = LowestRate * Math.Pow(HighestRate / LowestRate, u[0]);
            rate = double.Parse(rate.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            var configuration = new Configuration(rate, 1 << (first + (int)(u[1] * (last - first + 1))));
            if (!found.Contains(configuration)) found.Add(configuration);
        }
        return found.Count == Count ? found : throw new InputException("configurations", $"{Count}", $"at most {found.Count} in ranges that narrow");
    }
}
