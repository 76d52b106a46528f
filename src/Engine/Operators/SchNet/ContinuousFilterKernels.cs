using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.SchNet;
using TorchSharp;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// <see cref="ContinuousFilter"/> in kernels. Forward and the gradient by g sum over receivers' rows; the other gradients over
/// senders' rows, where the gradient by h has its one owner. Weights' gradients are products over scratch memory of some senders' edges.
/// Nothing is kept: filters are made again in each pass.
/// </summary>
/// <param name="edges">The edges.</param>
internal sealed class ContinuousFilterKernels(EdgeList edges) : IOperationPasses
{
    // Four arrays of this many rows stay in a device's second-level cache at usual widths.
    private const int ChunkEdges = 16384;

    /// <summary>Whether a group's shared memory has room for the filter network.</summary>
    public static bool Fits(Tensor features, Tensor radial) =>
        new FilterShape(FilterPadding.Width(features.size(1)), (int)radial.size(1))
            .Fits(Device(features).LargestSharedBytes, (int)features.ElementSize);

    public Tensor?[] Composed(Tensor?[] inputs) => ContinuousFilterComposed.Apply(edges.OneWay, inputs);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor features = inputs[0]!;
        if (edges.Count == 0) return ([zeros_like(features)], []);
        using DisposeScope scope = NewDisposeScope();
        var launch = new Launch(edges, inputs, null);
        return ([FilterPadding.Cut(launch.Sums(), features.size(1)).MoveToOuterDisposeScope()], []);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients) => All(inputs, gradients[0]!, null);

    public Tensor?[]? DoubleBackward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients, Tensor?[] along) =>
        ContinuousFilter.IsAlongEdges(along) ? All(inputs, gradients[0]!, along) : null;

    /// <returns>By all inputs, and, in the double backward pass, by g.</returns>
    private Tensor?[] All(Tensor?[] inputs, Tensor gradient, Tensor?[]? along)
    {
        if (edges.Count == 0) return [.. inputs.Select(t => zeros_like(t!)), .. along is null ? [] : (Tensor[])[zeros_like(gradient)]];
        using DisposeScope scope = NewDisposeScope();
        long features = inputs[0]!.size(1);
        var launch = new Launch(edges, inputs, along);
        Tensor g = FilterPadding.Columns(gradient);
        var by = new FilterTensors(empty_like(launch.Values.Features!), empty_like(launch.Values.Radial!), empty_like(launch.Values.Envelope!));
        bool wanted = inputs[3..].Any(t => t!.requires_grad);
        var products = new FilterProducts(inputs, copies: along is null ? 1 : 2);
        foreach ((int first, int end, int count) in edges.BySender.Cut(wanted ? ChunkEdges : int.MaxValue))
        {
            using DisposeScope chunk = NewDisposeScope();
            Tensor[]? scratch = wanted && count > 0 ? products.Scratch(count) : null;
            launch.Backward(new FilterSenders(first, end), g, by, scratch);
            if (scratch is not null) products.Add(scratch, count);
        }
        List<Tensor> all = [FilterPadding.Cut(by.Features!, features), by.Radial!, by.Envelope!, .. products.Gradients()];
        if (along is not null) all.Add(FilterPadding.Cut(launch.Sums(), features));
        foreach (Tensor t in all) t.MoveToOuterDisposeScope();
        return [.. all];
    }

    /// <summary>Hands tensors to the kernels: contiguous; of atoms and weights as <see cref="FilterPadding"/> makes them.</summary>
    /// <param name="edges">The edges.</param>
    /// <param name="inputs">h, phi, f, W1, b1, W2, b2</param>
    /// <param name="along">Directions h', phi', f' of the passes; null: none</param>
    private sealed class Launch(EdgeList edges, Tensor?[] inputs, Tensor?[]? along)
    {
        private readonly Tensor[] weights = FilterPadding.Weights(inputs[3]!, inputs[4]!, inputs[5]!, inputs[6]!);

        private readonly FilterTensors? directions =
            along is null ? null : new FilterTensors(along[0] is { } t ? FilterPadding.Columns(t) : null, along[1], along[2]);

        public FilterTensors Values { get; } = new(FilterPadding.Columns(inputs[0]!), inputs[1], inputs[2]);

        /// <returns>(atoms, padded width): m, or its derivative along the directions.</returns>
        public Tensor Sums()
        {
            Tensor sums = empty_like(Values.Features!);
            if (sums.dtype == ScalarType.Float32) Run<float, F32>();
            else Run<double, F64>();
            return sums;

            void Run<T, TReal>()
                where T : unmanaged, INumber<T>
                where TReal : struct, IReal<T>
            {
                FilterArrays<T> arrays = Arrays<T>(bySender: false);
                if (directions is { } d) FilterLauncher<T, TReal>.Tangent(Device(sums), arrays, d.Arrays<T>(), Array<T>(sums));
                else FilterLauncher<T, TReal>.Forward(Device(sums), arrays, Array<T>(sums));
            }
        }

        /// <summary>The backward pass; along directions the double backward pass.</summary>
        /// <param name="senders">Which to take.</param>
        /// <param name="gradient">(atoms, padded width) g</param>
        /// <param name="by">Gradients by h, phi, f; written where these senders' rows and edges are.</param>
        /// <param name="scratch">Inputs, hidden, inner, outer of these senders' edges; null: not wanted</param>
        public void Backward(FilterSenders senders, Tensor gradient, FilterTensors by, Tensor[]? scratch)
        {
            if (gradient.dtype == ScalarType.Float32) Run<float, F32>();
            else Run<double, F64>();

            void Run<T, TReal>()
                where T : unmanaged, INumber<T>
                where TReal : struct, IReal<T>
            {
                var room = new FilterScratch<T>(Array<T>(scratch?[0]), Array<T>(scratch?[1]), Array<T>(scratch?[2]), Array<T>(scratch?[3]));
                FilterArrays<T> arrays = Arrays<T>(bySender: true);
                DeviceArray<T> g = Array<T>(gradient);
                if (directions is { } d) FilterLauncher<T, TReal>.DoubleBackward(Device(gradient), arrays, senders, d.Arrays<T>(), g, by.Arrays<T>(), room);
                else FilterLauncher<T, TReal>.Backward(Device(gradient), arrays, senders, g, by.Arrays<T>(), room);
            }
        }

        private FilterArrays<T> Arrays<T>(bool bySender)
            where T : unmanaged
        {
            var order = new FilterEdges(
                Array<long>(edges.RowStarts),
                Array<long>(bySender ? edges.SenderRowStarts : null), Array<long>(bySender ? edges.SenderEdges : null),
                Array<long>(edges.Senders), Array<long>(edges.Receivers));
            var network = new FilterWeights<T>(
                Array<T>(weights[0]), Array<T>(weights[1]), Array<T>(weights[2]), Array<T>(weights[3]), Array<T>(weights[4]), Array<T>(weights[5]));
            var shape = new FilterShape((int)Values.Features!.size(1), (int)Values.Radial!.size(1));
            return new FilterArrays<T>(shape, order, Values.Arrays<T>(), network);
        }
    }
}
