using ChemScale.Engine;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>One benchmark: its cases, their sides and their costs.</summary>
internal abstract class Benchmark
{
    public const string Every = "all";

    public static IReadOnlyList<Benchmark> All { get; } =
    [
        new RadialBenchmark(), new FilterBenchmark(), new PaiNNBenchmark(), new GatherBenchmark(), new AllegroBenchmark(),
        new AttentionBenchmark(), new LayerBenchmark(), new AdamWBenchmark(), new NeighborsBenchmark(), new ChemGptBenchmark(),
        new GenerateBenchmark(), new ForceFieldBenchmark(), new DynamicsBenchmark(), new PredictBenchmark(), new SelfiesBenchmark(), new ConvertBenchmark(),
        new LibraryBenchmark(), new InterpreterBenchmark(), new IdentityBenchmark(),
    ];

    public abstract string Name { get; }

    /// <summary>One line.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether its passes are set against copies and matrix products.</summary>
    public virtual bool IsAgainstRates => true;

    /// <exception cref="InputException">No such benchmark.</exception>
    public static Benchmark[] Named(IEnumerable<string> names)
    {
        string[] wanted = [.. names];
        if (wanted.Contains(Every)) return [.. All];
        return [.. wanted.Distinct().Select(name => All.FirstOrDefault(b => b.Name == name)
            ?? throw new InputException("perf run", $"'{name}'", Every + ", " + string.Join(", ", All.Select(b => b.Name))))];
    }

    public abstract void Run(BenchmarkRun run);
}
