using System.Text.Json.Nodes;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>Allegro's tensor product of edge features with the environment of their receiver, of the first layer at L = 2.</summary>
internal sealed class AllegroBenchmark : Benchmark
{
    private const int MaxOrder = 2;
    private const int Layers = 2;

    public override string Name => "allegro";

    public override string Summary => "Allegro's tensor product at L = 2";

    /// <summary>
    /// As docs/KERNELS.md counts them. Each pass is made of products of three kinds, Z and X by edges and Y by receivers: forward Z;
    /// backward X and Y; double backward, of X: Z and Y, and of Y: X and Z.
    /// </summary>
    /// <param name="edges">E</param>
    /// <param name="table">C, with N terms and I, J, K components</param>
    /// <param name="channels">U</param>
    public static Pass[] Passes(double edges, TensorProductTable table, double channels)
    {
        double flops = 3 * table.Entries.Count * channels * edges;
        double byEdges = 4 * channels * (table.Left + table.Right + table.Outputs) * edges, byReceivers = 4 * channels * (table.Left + table.Outputs) * edges;
        return
        [
            new(Pass.Forward, byEdges, flops),
            new(Pass.Backward, byEdges + byReceivers, 2 * flops),
            new(Pass.DoubleBackward, 3 * byEdges + byReceivers, 4 * flops),
        ];
    }

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        using TensorProductTable table = AllegroPaths.Plan(MaxOrder, Layers)[0].Table(ScalarType.Float32, s.Device);
        foreach (long channels in s.Widths)
        {
            foreach (long wanted in s.Edges)
            {
                long edges = Ring.Edges(wanted, s.Neighbors);
                var parameters = new JsonObject
                {
                    ["edges"] = edges,
                    ["neighbors"] = s.Neighbors,
                    ["channels"] = channels,
                    ["components"] = $"{table.Left}x{table.Right}->{table.Outputs}",
                    ["terms"] = table.Entries.Count,
                };
                double row = 4.0 * channels * edges, ends = row * (table.Left + table.Outputs);
                run.Compare(new Case(parameters, "edges", edges, "edges"), Passes(edges, table, channels),
                    [SidePlan.Composed(8 * ends + 6 * row * table.Left * table.Right), SidePlan.Kernels(8 * ends)],
                    scope => Steps(scope, wanted, (int)channels, table, s));
            }
        }
    }

    private static Func<SidePlan, Action<PassClock>> Steps(CaseScope scope, long wanted, int channels, TensorProductTable table, RunSettings s)
    {
        EdgeList edges = scope.Keep(Ring.Of(wanted, s.Neighbors, s.Device));
        Tensor x = randn(edges.Count, table.Left, channels, device: s.Device).requires_grad_();
        Tensor y = randn(edges.Atoms, table.Right, channels, device: s.Device).requires_grad_();
        var step = new Differentiation { Inputs = [x, y], Twice = 2, Forward = () => [AllegroTensorProduct.Apply(x, y, edges, table)] };
        return _ => step.Step;
    }
}
