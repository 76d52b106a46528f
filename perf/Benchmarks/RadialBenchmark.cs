using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>The radial basis with its cutoff, from edge vectors: forward, backward and double backward.</summary>
internal sealed class RadialBenchmark : Benchmark
{
    private const double Cutoff = 5;

    // FLOPs are counted at this size of the basis, and taken in proportion.
    private const double CountedFunctions = 20;

    public override string Name => "radial";

    public override string Summary => "radial basis and cutoff function of edges, Gaussian and Bessel";

    /// <summary>As docs/KERNELS.md counts them.</summary>
    public static Pass[] Passes(double edges, int functions, bool gaussian)
    {
        double k = functions, scale = k / CountedFunctions * edges;
        return
        [
            new(Pass.Forward, (32 + 4 * k) * edges, (gaussian ? 660 : 780) * scale),
            new(Pass.Backward, (44 + 4 * k) * edges, (gaussian ? 780 : 880) * scale),
            new(Pass.DoubleBackward, (76 + 8 * k) * edges, (gaussian ? 1000 : 1150) * scale),
        ];
    }

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (string basis in s.Bases)
        {
            foreach (long edges in s.Edges)
            {
                var parameters = new JsonObject { ["basis"] = basis, ["edges"] = edges, ["functions"] = s.Functions };
                double row = 4.0 * (8 + s.Functions) * edges;
                run.Compare(new Case(parameters, "edges", edges, "edges"), Passes(edges, s.Functions, basis == "gaussian"),
                    [SidePlan.Composed(16 * row), SidePlan.Kernels(8 * row)],
                    scope => Steps(edges, s.Functions, basis == "gaussian", s.Device), "ops_torch.py");
            }
        }
    }

    private static Func<SidePlan, Action<PassClock>> Steps(long edges, int k, bool gaussian, Device device)
    {
        double[] centers = [.. Enumerable.Range(0, k).Select(i => gaussian ? i * Cutoff / k : (i + 1) * Math.PI / Cutoff)];
        Tensor exponents = full([k], -0.5 * k * k / (Cutoff * Cutoff), device: device);
        Tensor row = tensor(centers, dtype: ScalarType.Float32, device: device);
        var functions = new RadialFunctions(row, gaussian ? exponents : null, Cutoff, 0);
        Tensor vectors = (rand(edges, 3, device: device) * 5 + 0.5).requires_grad_();
        var step = new Differentiation
        {
            Inputs = [vectors],
            Twice = 1,
            Forward = () =>
            {
                var f = RadialBasisCutoff.Of(vectors, functions);
                return [f.Distances, f.Directions, f.Envelope, f.Radial];
            },
        };
        return _ => step.Step;
    }
}
