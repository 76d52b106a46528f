using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.SchNet;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>SchNet's continuous-filter convolution: the passes of a training step on forces, weights' gradients included.</summary>
internal sealed class FilterBenchmark : Benchmark
{
    // Features, radial basis and cutoff depend on positions; weights do not, and their gradients are not differentiated.
    private const int OfPositions = 3;

    public override string Name => "filter";

    public override string Summary => "SchNet's continuous-filter convolution";

    /// <summary>As docs/KERNELS.md counts them; bytes without the scratch of the weights' gradients, which caches may hold.</summary>
    /// <param name="edges">E</param>
    /// <param name="n">N, filters</param>
    /// <param name="k">K, functions</param>
    public static Pass[] Passes(double edges, double n, double k) =>
    [
        new(Pass.Forward, (4 * (n + k) + 12) * edges, 2 * n * (n + k) * edges),
        new(Pass.Backward, (4 * (2 * n + 2 * k) + 32) * edges, 6 * n * (n + k) * edges),
        new(Pass.DoubleBackward, (4 * (5 * n + 5 * k) + 48) * edges, 2 * n * (8 * n + 7 * k) * edges),
    ];

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long width in s.Widths)
        {
            foreach (long wanted in s.Edges)
            {
                long edges = Ring.Edges(wanted, s.Neighbors);
                var parameters = new JsonObject
                {
                    ["edges"] = edges,
                    ["neighbors"] = s.Neighbors,
                    ["filters"] = width,
                    ["functions"] = s.Functions,
                };
                double ends = edges * (100 + 32.0 * s.Functions) + 40.0 * width * edges / s.Neighbors;
                run.Compare(new Case(parameters, "edges", edges, "edges"), Passes(edges, width, s.Functions),
                    [
                        SidePlan.Composed(ends + 120.0 * width * edges), .. s.Cuda ? (SidePlan[])[] : [SidePlan.Host(ends + 40.0 * width * edges)],
                        SidePlan.Kernels(ends + (64 << 20)),
                    ],
                    scope => Steps(scope, wanted, (int)width, s), "ops_torch.py");
            }
        }
    }

    private static Func<SidePlan, Action<PassClock>> Steps(CaseScope scope, long wanted, int n, RunSettings s)
    {
        EdgeList list = scope.Keep(Ring.Of(wanted, s.Neighbors, s.Device));
        int k = s.Functions;
        Tensor[] x = [Values(list.Atoms, n), Values(list.Count, k), Values(list.Count, 1), Values(n, k), Values(n), Values(n, n), Values(n)];
        var features = new EdgeFeatures(list, list.OneWay, null!, null!, null!, x[1], x[2]);
        var step = new Differentiation
        {
            Inputs = x,
            Twice = OfPositions,
            Forward = () => [ContinuousFilter.Apply(x[0], features, x[3], x[4], x[5], x[6])],
        };
        return _ => step.Step;

        Tensor Values(params long[] shape) => (randn(shape, device: s.Device) * 0.1).requires_grad_();
    }
}
