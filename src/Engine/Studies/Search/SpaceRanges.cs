using System.Globalization;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Studies.Search;

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
