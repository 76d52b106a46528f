using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>PaiNN's message on a ring of atoms, and what it costs.</summary>
internal static class MessageSteps
{
    // x, mu, u and R depend on positions; the filter does not.
    private const int OfPositions = 4;

    /// <summary>As docs/KERNELS.md counts them: atoms' rows once for each edge, as if no cache held them.</summary>
    /// <param name="edges">E</param>
    /// <param name="f">F, features</param>
    /// <param name="n">K + 1, columns of the radial part</param>
    public static Pass[] Passes(double edges, double f, double n) =>
    [
        new(Pass.Forward, (24 * f + 4 * n + 20) * edges, (6 * f * n + 16 * f) * edges),
        new(Pass.Backward, (16 * f + 4 * n + 28 + 76 * f + 12 * n + 40) * edges, (6 * f * n + 15 * f + 14 * f * n + 20 * f) * edges),
        new(Pass.DoubleBackward, (48 * f + 8 * n + 32 + 16 * f + 8 * n + 40 + 124 * f + 20 * n + 52) * edges,
            (12 * f * n + 36 * f + 12 * f * n + 28 * f + 22 * f * n + 39 * f) * edges),
    ];

    /// <param name="edges">E</param>
    /// <param name="f">F</param>
    /// <param name="n">K + 1</param>
    /// <param name="s">Settings.</param>
    public static SidePlan[] Plans(double edges, double f, double n, RunSettings s)
    {
        double ends = edges * (120 + 32 * n) + 150 * f * edges / s.Neighbors;
        return
        [
            SidePlan.Composed(ends + 300 * f * edges), .. s.Cuda ? (SidePlan[])[] : [SidePlan.Host(ends + 40 * f * edges)],
            SidePlan.Kernels(ends + (128 << 20)),
        ];
    }

    public static Func<SidePlan, Action<PassClock>> Make(CaseScope scope, long wanted, int features, int columns, RunSettings s)
    {
        EdgeList edges = scope.Keep(Ring.Of(wanted, s.Neighbors, s.Device));
        Tensor x = Values(edges.Atoms, 3 * features), mu = Values(edges.Atoms, 3, features), u = Values(edges.Count, 3);
        Tensor basis = Values(edges.Count, columns), filter = Values(3 * features, columns);
        // Each edge for itself, as kernels take them.
        var pairs = new PaiNNPairs(edges, u, basis);
        var step = new Differentiation
        {
            Inputs = [x, mu, u, basis, filter],
            Twice = OfPositions,
            Forward = () =>
            {
                (Tensor scalars, Tensor vectors) = PaiNNMessage.Apply(x, mu, pairs, filter);
                return [scalars, vectors];
            },
        };
        return _ => step.Step;

        Tensor Values(params long[] shape) => randn(shape, device: s.Device).requires_grad_();
    }
}
