using System.Globalization;

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
