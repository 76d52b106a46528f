using System.Text.Json.Nodes;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Gather, multiply, sum: rows of senders, times a weight of the edge, summed by receiver; memory's shape and hardly any arithmetic. No
/// operation does only that, so it runs as PaiNN's message without a radial basis (one column: the cutoff), whose filter costs one product.
/// </summary>
internal sealed class GatherBenchmark : Benchmark
{
    private const int Features = 128;
    private const int Columns = 1;

    public override string Name => "gather";

    public override string Summary => "gather, multiply, sum at 128 features: PaiNN's message with a filter of one column, bound by memory";

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long wanted in s.Edges)
        {
            long edges = Ring.Edges(wanted, s.Neighbors);
            var parameters = new JsonObject { ["edges"] = edges, ["neighbors"] = s.Neighbors, ["features"] = Features };
            run.Compare(new Case(parameters, "edges", edges, "edges"), MessageSteps.Passes(edges, Features, Columns),
                MessageSteps.Plans(edges, Features, Columns, s), scope => MessageSteps.Make(scope, wanted, Features, Columns, s));
        }
    }
}
