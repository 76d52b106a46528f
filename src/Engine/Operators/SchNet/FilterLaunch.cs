using System.Numerics;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.SchNet;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Hands tensors to the convolution's kernels: contiguous; of atoms and weights as <see cref="FilterPadding"/> makes them.</summary>
internal static class FilterLaunch
{
    /// <summary>Whether a group's shared memory has room for the filter network.</summary>
    public static bool Fits(Tensor features, Tensor radial) =>
        new FilterShape(FilterPadding.Width(features.size(1)), (int)radial.size(1))
            .Fits(Device(features).LargestSharedBytes, (int)features.ElementSize);

    /// <returns>m (atoms, padded width)</returns>
    public static Tensor Forward(EdgeList edges, FilterTensors inputs, Tensor[] weights)
    {
        Tensor sums = empty_like(inputs.Features!);
        if (sums.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();
        return sums;

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            FilterLauncher<T, TReal>.Forward(
                Device(sums), Shape(inputs), Edges(edges, bySender: false), inputs.Arrays<T>(), Weights<T>(weights), Array<T>(sums));
    }

    /// <returns>(atoms, padded width)</returns>
    public static Tensor Tangent(EdgeList edges, FilterTensors inputs, FilterTensors along, Tensor[] weights)
    {
        Tensor sums = empty_like(inputs.Features!);
        if (sums.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();
        return sums;

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            FilterLauncher<T, TReal>.Tangent(
                Device(sums), Shape(inputs), Edges(edges, bySender: false), inputs.Arrays<T>(), along.Arrays<T>(), Weights<T>(weights),
                Array<T>(sums));
    }

    /// <param name="edges">The edges.</param>
    /// <param name="firstAtom">Senders to take.</param>
    /// <param name="lastAtom">The one after the last.</param>
    /// <param name="inputs">h, phi, f</param>
    /// <param name="along">null: the backward pass; else the double backward pass along it.</param>
    /// <param name="gradient">(atoms, padded width) g</param>
    /// <param name="weights">The filter network.</param>
    /// <param name="by">Gradients by h, phi, f; written where these senders' rows and edges are.</param>
    /// <param name="scratch">Inputs, hidden, inner, outer of these senders' edges; null: not wanted</param>
    public static void Backward(
        EdgeList edges, int firstAtom, int lastAtom, FilterTensors inputs, FilterTensors? along, Tensor gradient, Tensor[] weights,
        FilterTensors by, Tensor[]? scratch)
    {
        if (gradient.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T>
        {
            var kept = new FilterScratch<T>(Array<T>(scratch?[0]), Array<T>(scratch?[1]), Array<T>(scratch?[2]), Array<T>(scratch?[3]));
            FilterEdges order = Edges(edges, bySender: true);
            if (along is { } direction)
            {
                FilterLauncher<T, TReal>.DoubleBackward(Device(gradient), Shape(inputs), order, firstAtom, lastAtom, inputs.Arrays<T>(),
                    direction.Arrays<T>(), Array<T>(gradient), Weights<T>(weights), by.Arrays<T>(), kept);
            }
            else
            {
                FilterLauncher<T, TReal>.Backward(Device(gradient), Shape(inputs), order, firstAtom, lastAtom, inputs.Arrays<T>(),
                    Array<T>(gradient), Weights<T>(weights), by.Arrays<T>(), kept);
            }
        }
    }

    private static FilterShape Shape(FilterTensors inputs) => new((int)inputs.Features!.size(1), (int)inputs.Radial!.size(1));

    private static FilterEdges Edges(EdgeList edges, bool bySender) => new(
        Array<long>(edges.RowStarts),
        Array<long>(bySender ? edges.SenderRowStarts : null), Array<long>(bySender ? edges.SenderEdges : null),
        Array<long>(edges.Senders), Array<long>(edges.Receivers));

    private static FilterWeights<T> Weights<T>(Tensor[] weights)
        where T : unmanaged =>
        new(Array<T>(weights[0]), Array<T>(weights[1]), Array<T>(weights[2]), Array<T>(weights[3]),
            Array<T>(weights.ElementAtOrDefault(4)), Array<T>(weights.ElementAtOrDefault(5)));
}
