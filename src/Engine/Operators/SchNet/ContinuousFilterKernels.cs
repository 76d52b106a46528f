using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// The passes of SchNet's convolution in kernels. Forward and the gradient by g sum over receivers' rows; the other gradients over
/// senders' rows, where the gradient by h has its one owner. Weights' gradients are products over scratch memory of some senders' edges.
/// </summary>
internal sealed class ContinuousFilterKernels(EdgeList edges, Tensor[] inputs) : IContinuousFilterPasses
{
    // Four arrays of this many rows stay in a device's second-level cache at usual widths.
    private const int ChunkEdges = 16384;

    private readonly Tensor features = inputs[0], radial = inputs[1], envelope = inputs[2];

    public (Tensor Sum, Tensor[] Layers) Forward(bool keep)
    {
        if (edges.Count == 0) return (zeros_like(features), []);
        using DisposeScope scope = NewDisposeScope();
        Tensor sums = FilterLaunch.Forward(edges, Values(), Weights());
        return (FilterPadding.Cut(sums, features.size(1)).MoveToOuterDisposeScope(), []);
    }

    public Tensor[] Backward(Tensor gradient) => All(gradient, null)[..IContinuousFilterPasses.Inputs];

    public Tensor[] DoubleBackward(Tensor gradient, Tensor? alongFeatures, Tensor? alongRadial, Tensor? alongEnvelope)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor? padded = alongFeatures is null ? null : FilterPadding.Columns(alongFeatures);
        Tensor[] by = All(gradient, new FilterTensors(padded, alongRadial?.contiguous(), alongEnvelope?.contiguous()));
        foreach (Tensor t in by) t.MoveToOuterDisposeScope();
        return by;
    }

    /// <returns>By all inputs, and, in the double backward pass, by g.</returns>
    private Tensor[] All(Tensor gradient, FilterTensors? along)
    {
        if (edges.Count == 0) return [.. inputs[..IContinuousFilterPasses.Inputs].Select(t => zeros_like(t)), zeros_like(gradient)];
        using DisposeScope scope = NewDisposeScope();
        FilterTensors values = Values();
        Tensor[] weights = Weights();
        Tensor g = FilterPadding.Columns(gradient);
        var by = new FilterTensors(empty_like(values.Features!), empty_like(values.Radial!), empty_like(values.Envelope!));
        bool wanted = inputs[3..IContinuousFilterPasses.Inputs].Any(t => t.requires_grad);
        var products = new FilterProducts(inputs, copies: along is null ? 1 : 2);
        foreach ((int first, int last, int count) in edges.BySender.Cut(wanted ? ChunkEdges : int.MaxValue))
        {
            using DisposeScope chunk = NewDisposeScope();
            Tensor[]? scratch = wanted && count > 0 ? products.Scratch(count) : null;
            FilterLaunch.Backward(edges, first, last, values, along, g, weights, by, scratch);
            if (scratch is not null) products.Add(scratch, count);
        }
        List<Tensor> all = [FilterPadding.Cut(by.Features!, features.size(1)), by.Radial!, by.Envelope!, .. products.Gradients()];
        if (along is { } direction) all.Add(FilterPadding.Cut(FilterLaunch.Tangent(edges, values, direction, weights), features.size(1)));
        foreach (Tensor t in all) t.MoveToOuterDisposeScope();
        return [.. all];
    }

    private FilterTensors Values() => new(FilterPadding.Columns(features), radial.contiguous(), envelope.contiguous());

    private Tensor[] Weights() => FilterPadding.Weights(inputs[3], inputs[4], inputs[5], inputs[6]);
}
