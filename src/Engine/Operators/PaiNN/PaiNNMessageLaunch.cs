using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.PaiNN;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Hands tensors to the kernels of PaiNN's message: all contiguous but the filter, of one number type. Inputs: x, mu or null, u, R, G, and
/// for the backward passes the gradients of dq and dmu. Gradients by w exist for a range of edges at a time: matrix products turn them into
/// those by R and G.
/// </summary>
internal static class PaiNNMessageLaunch
{
    /// <returns>dq and dmu</returns>
    public static Tensor[] Forward(EdgeList edges, Tensor?[] inputs)
    {
        Tensor x = inputs[0]!;
        long atoms = x.size(0), features = x.size(1) / 3;
        Tensor scalars = Make(x, atoms, features), vectors = Make(x, atoms, 3, features);
        using Tensor filter = Transposed(inputs[4]!);
        if (x.dtype == ScalarType.Float32) Run<float>();
        else Run<double>();
        return [scalars, vectors];

        void Run<T>()
            where T : unmanaged, INumber<T> =>
            Launcher<T>(edges, null, inputs, filter).Forward(new MessageSums<T>(Array<T>(scalars), Array<T>(vectors)));
    }

    /// <returns>By x, mu (null where there is none), u, R and G.</returns>
    public static Tensor?[] Backward(EdgeList edges, Tensor?[] inputs)
    {
        Tensor[] by = [.. inputs.Take(5).Select(t => t is null ? null! : empty_like(t))];
        by[4] = zeros_like(inputs[4]!);
        using Tensor filter = Transposed(inputs[4]!);
        if (by[0].dtype == ScalarType.Float32) Run<float>();
        else Run<double>();
        return by;

        void Run<T>()
            where T : unmanaged, INumber<T>
        {
            MessageLauncher<T> launcher = Launcher<T>(edges, edges.BySender, inputs, filter);
            MessageSums<T> gradient = Sums<T>(inputs);
            launcher.BySenders(gradient, Array<T>(by[0]), Array<T>(by[1]));
            foreach ((int from, int count) in Ranges(inputs))
            {
                using Tensor byFilters = Make(by[0], count, inputs[4]!.size(0));
                launcher.ByEdges(gradient, from, Array<T>(byFilters), Array<T>(by[2]));
                using Tensor byRadial = by[3].narrow(0, from, count), radial = inputs[3]!.narrow(0, from, count), columns = byFilters.t();
                byRadial.addmm_(byFilters, inputs[4]!, 0, 1);
                by[4].addmm_(columns, radial, 1, 1);
            }
        }
    }

    /// <param name="edges">The edges.</param>
    /// <param name="inputs">x, mu, u, R, G and the gradients of dq and dmu.</param>
    /// <param name="along">Gradients with respect to those by x, mu, u, R; null: zero.</param>
    /// <returns>By each input.</returns>
    public static Tensor?[] DoubleBackward(EdgeList edges, Tensor?[] inputs, Tensor?[] along)
    {
        Tensor?[] tangent = [.. inputs.Take(4).Select((t, i) => t is null ? null : along[i]?.contiguous() ?? zeros_like(t))];
        Tensor[] by = [.. inputs.Select(t => t is null ? null! : empty_like(t))];
        by[4] = zeros_like(inputs[4]!);
        using Tensor filter = Transposed(inputs[4]!);
        if (by[0].dtype == ScalarType.Float32) Run<float>();
        else Run<double>();
        return by;

        void Run<T>()
            where T : unmanaged, INumber<T>
        {
            MessageLauncher<T> launcher = Launcher<T>(edges, edges.BySender, inputs, filter);
            MessageSums<T> gradient = Sums<T>(inputs);
            MessageValues<T> tangents = Values<T>(tangent);
            launcher.TangentByReceivers(tangents, Sums<T>(by));
            launcher.TangentBySenders(tangents, gradient, Array<T>(by[0]), Array<T>(by[1]));
            foreach ((int from, int count) in Ranges(inputs))
            {
                using Tensor byFilters = Make(by[0], count, inputs[4]!.size(0)), byTangents = empty_like(byFilters);
                launcher.TangentByEdges(tangents, gradient, from, Array<T>(byFilters), Array<T>(byTangents), Array<T>(by[2]));
                using Tensor byRadial = by[3].narrow(0, from, count), columns = byFilters.t(), tangentColumns = byTangents.t();
                using Tensor radial = inputs[3]!.narrow(0, from, count), radialTangent = tangent[3]!.narrow(0, from, count);
                byRadial.addmm_(byFilters, inputs[4]!, 0, 1);
                by[4].addmm_(columns, radial, 1, 1).addmm_(tangentColumns, radialTangent, 1, 1);
            }
        }
    }

    private static IEnumerable<(int From, int Count)> Ranges(Tensor?[] inputs)
    {
        int edges = (int)inputs[3]!.size(0), most = Math.Max(1, RunScope.Current.ScratchValues / (int)inputs[4]!.size(0));
        for (int from = 0; from < edges; from += most) yield return (from, Math.Min(most, edges - from));
    }

    private static MessageLauncher<T> Launcher<T>(EdgeList edges, SenderOrder? bySender, Tensor?[] inputs, Tensor filter)
        where T : unmanaged, INumber<T>
    {
        var index = new MessageEdges(Array<long>(edges.RowStarts), Array<long>(edges.Senders), Array<long>(edges.Receivers),
            Array<long>(bySender?.RowStarts), Array<long>(bySender?.Edges));
        return new MessageLauncher<T>(Device(inputs[0]!), index, Values<T>(inputs), Array<T>(filter), (int)inputs[0]!.size(1) / 3);
    }

    private static MessageValues<T> Values<T>(Tensor?[] four)
        where T : unmanaged => new(Array<T>(four[0]), Array<T>(four[1]), Array<T>(four[2]), Array<T>(four[3]));

    private static MessageSums<T> Sums<T>(Tensor?[] inputs)
        where T : unmanaged => new(Array<T>(inputs[5]), Array<T>(inputs[6]));

    private static Tensor Transposed(Tensor filter)
    {
        using Tensor view = filter.t();
        return view.contiguous();
    }

    private static Tensor Make(Tensor like, params long[] shape) => empty(shape, dtype: like.dtype, device: like.device);
}
