using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>A PaiNN message with random values on given edges. Its values and derivatives are sums of products throughout.</summary>
/// <param name="Edges">The edges.</param>
/// <param name="Features">F</param>
/// <param name="Radial">K + 1</param>
/// <param name="Vectors">Whether mu is there.</param>
internal sealed record MessageCase(EdgeList Edges, int Features, int Radial, bool Vectors)
{
    private static readonly string[] Inputs = ["x", "mu", "u", "R", "G", "dq gradient", "dmu gradient"];

    /// <summary>Receiver i gets as many edges as given, from random senders.</summary>
    public static EdgeList Random(int seed, params int[] edgesOfReceiver)
    {
        var random = new Random(seed);
        List<int> rowStarts = [0], senders = [];
        foreach (int count in edgesOfReceiver)
        {
            for (int e = 0; e < count; e++) senders.Add(random.Next(edgesOfReceiver.Length));
            rowStarts.Add(senders.Count);
        }
        return new EdgeList([.. rowStarts], [.. senders]);
    }

    /// <summary>All ordered pairs of the atoms, knowing their reverse.</summary>
    public static EdgeList Complete(int atoms)
    {
        int each = atoms - 1;
        int[] senders = [.. Enumerable.Range(0, atoms * each).Select(e => Other(e / each, e % each))];
        return new EdgeList([.. Enumerable.Range(0, atoms + 1).Select(i => i * each)], senders,
            [.. senders.Select((j, e) => j * each + (e / each < j ? e / each : e / each - 1))]);

        static int Other(int i, int n) => n < i ? n : n + 1;
    }

    /// <summary>x, mu, u, R, G, gradients of dq and dmu, and the five cotangents of the gradients by the first five.</summary>
    public Tensor?[] Values(int seed, ScalarType dtype = ScalarType.Float64)
    {
        using Generator generator = new((ulong)seed);
        Tensor x = Make(Edges.Atoms, 3 * Features), u = Make(Edges.Count, 3), r = Make(Edges.Count, Radial), g = Make(3 * Features, Radial);
        Tensor mu = Make(Edges.Atoms, 3, Features), h = Make(Edges.Atoms, Features), v = Make(Edges.Atoms, 3, Features);
        Tensor[] first = [x, mu, u, r, g, h, v];
        Tensor?[] all = [.. first, .. first.Take(5).Select(t => Make(t.shape))];
        if (!Vectors) all[1] = all[8] = null;
        return all;

        Tensor Make(params long[] shape) => randn(shape, dtype: ScalarType.Float64, generator: generator).to(dtype);
    }

    /// <summary>In kernels, as an operation on x, mu where it is there, u, R and G.</summary>
    public Operation Kernels(ScalarType dtype = ScalarType.Float64)
    {
        TestScope.Mode(OperatorMode.Kernels);
        Tensor?[] values = Values(1, dtype)[..5];
        string[] names = [.. Inputs[..5].Where((_, i) => values[i] is not null)];
        return new Operation(names, [.. values.OfType<Tensor>()], given =>
        {
            Tensor?[] x = given;
            if (!Vectors) x = [given[0], null, .. given[1..]];
            (Tensor scalars, Tensor vectors) = PaiNNMessage.Apply(x[0]!, x[1], new PaiNNPairs(Edges, x[2]!, x[3]!), x[4]!);
            return [scalars, vectors];
        });
    }

    /// <summary>Outputs, gradients by inputs, and gradients of those; the cotangent of the gradient by G only where asked for.</summary>
    public IReadOnlyList<(string Name, Tensor Values)> Everything(OperatorMode mode, Tensor?[] values, bool alongFilter = false)
    {
        TestScope.Mode(mode);
        Tensor?[] leaves = [.. values.Take(7).Select(t => t?.clone().requires_grad_())];
        var pairs = new PaiNNPairs(Edges, leaves[2]!, leaves[3]!);
        (Tensor scalars, Tensor vectors) = PaiNNMessage.Apply(leaves[0]!, leaves[1], pairs, leaves[4]!);
        int[] there = [.. Enumerable.Range(0, 5).Where(i => leaves[i] is not null)];
        int[] used = [.. there.Where(i => alongFilter || i != 4)];
        IList<Tensor> first = Gradients.Of([scalars, vectors], [.. there.Select(i => leaves[i]!)], [leaves[5]!, leaves[6]!], true, true);
        int[] wanted = [.. Enumerable.Range(0, 7).Where(i => leaves[i] is not null)];
        IList<Tensor> second = Gradients.Of([.. used.Select(i => first[Array.IndexOf(there, i)])], [.. wanted.Select(i => leaves[i]!)],
            [.. used.Select(i => values[7 + i]!)]);
        return
        [
            ("dq", scalars.detach()), ("dmu", vectors.detach()), .. there.Select((i, n) => ("by " + Inputs[i], first[n].detach())),
            .. wanted.Select((i, n) => ("second by " + Inputs[i], second[n])),
        ];
    }
}
