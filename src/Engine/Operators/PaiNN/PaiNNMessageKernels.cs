using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.PaiNN;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>The kernels of <see cref="PaiNNMessage"/> as an autograd function. Inputs: x, mu or null, u, [phi f | f], [W | bias].</summary>
internal sealed class PaiNNMessageKernelsFunction(EdgeList edges) : AutogradFunction
{
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor context, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        using Tensor x = context.contiguous(), u = pairs.Directions.contiguous(), r = pairs.Radial.contiguous();
        using Tensor? mu = vectors?.contiguous();
        Tensor[] outputs = new PaiNNMessageKernelsFunction(pairs.Edges!).Apply(x, mu, u, r, filter);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        return PaiNNMessageKernels.Forward(edges, inputs);
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        Tensor x = inputs[0]!;
        long atoms = x.size(0), features = x.size(1) / 3;
        Tensor scalars = gradients[0]?.contiguous() ?? zeros(atoms, features, dtype: x.dtype, device: x.device);
        Tensor vectors = gradients[1]?.contiguous() ?? zeros(atoms, 3, features, dtype: x.dtype, device: x.device);
        return PaiNNMessageKernelsGradient.Apply(edges, [.. inputs, scalars, vectors]);
    }
}

/// <summary>
/// The backward pass of <see cref="PaiNNMessageKernelsFunction"/>, a function of its own: training on forces differentiates it. Inputs:
/// those of the message, then the gradients of dq and dmu.
/// </summary>
internal sealed class PaiNNMessageKernelsGradient(EdgeList edges) : AutogradFunction
{
    private const int Inputs = 5;

    /// <returns>Gradients by the five inputs of the message, null by mu where there is none.</returns>
    public static Tensor?[] Apply(EdgeList edges, Tensor?[] inputs)
    {
        Tensor[] outputs = new PaiNNMessageKernelsGradient(edges).Apply(inputs);
        return inputs[1] is null ? [outputs[0], null, .. outputs[1..]] : [.. outputs];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        return [.. PaiNNMessageKernels.Backward(edges, inputs).OfType<Tensor>()];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        Tensor?[] along = inputs[1] is null ? [gradients[0], null, .. gradients[1..]] : gradients;
        // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
        if (is_grad_enabled() || along[4] is not null) return ComposedDerivatives.OfBackward(Composed, inputs.AsSpan(0, Inputs), inputs.AsSpan(Inputs), along);
        return PaiNNMessageKernels.DoubleBackward(edges, inputs, along);
    }

    private Tensor[] Composed(Tensor?[] inputs)
    {
        var pairs = new PaiNNPairs(edges.OneWay, inputs[2]!, inputs[3]!);
        (Tensor scalars, Tensor vectors) = PaiNNMessage.Composed(inputs[0]!, inputs[1], pairs, inputs[4]!);
        return [scalars, vectors];
    }
}

/// <summary>
/// Hands tensors to the kernels of PaiNN's message: all contiguous but the filter, of one number type. Inputs: x, mu or null, u, R, G, and
/// for the backward passes the gradients of dq and dmu. Gradients by w exist for a range of edges at a time: matrix products turn them into
/// those by R and G.
/// </summary>
internal static class PaiNNMessageKernels
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
