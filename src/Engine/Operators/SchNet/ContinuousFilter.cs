using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// SchNet's continuous-filter convolution (Schütt et al. 2017): m_i = sum over edges j -> i of h_j * W(d), elementwise, with the filter
/// W(d) = (ssp(phi(d) W1^T + b1) W2^T + b2) f(d). The cutoff f multiplies the finished filter.
/// </summary>
public static class ContinuousFilter
{
    /// <param name="features">(atoms, filters) h</param>
    /// <param name="edges">Radial basis phi (pairs, K) and cutoff f (pairs, 1) of the edges.</param>
    /// <param name="weight1">(filters, K)</param>
    /// <param name="bias1">(filters)</param>
    /// <param name="weight2">(filters, filters)</param>
    /// <param name="bias2">(filters)</param>
    /// <returns>(atoms, filters)</returns>
    public static Tensor Apply(Tensor features, in EdgeFeatures edges, Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2)
    {
        PairList pairs = edges.Pairs;
        // Kernels take each edge for itself, and filters that a group's shared memory has room for.
        if (OperatorModes.UseKernels(features) && pairs.TwoWay == 0)
        {
            EdgeList list = edges.Edges;
            return FilterLaunch.Fits(features, edges.Radial)
                ? ContinuousFilterFunction.Apply((x, _) => new ContinuousFilterKernels(list, x), features, edges, weight1, bias1, weight2, bias2)
                : ContinuousFilterFunction.Apply((x, layers) => new ContinuousFilterSums(pairs, x, layers), features, edges, weight1, bias1, weight2, bias2);
        }
        return OperatorModes.UseHost(features)
            ? ContinuousFilterFunction.Apply((x, layers) => new ContinuousFilterSums(pairs, x, layers), features, edges, weight1, bias1, weight2, bias2)
            : Composed(features, pairs, edges.Radial, edges.Envelope, weight1, bias1, weight2, bias2);
    }

    /// <summary>From library operations on all edges at once: the oracle.</summary>
    internal static Tensor Composed(
        Tensor features, PairList pairs, Tensor radial, Tensor envelope, Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor hidden = ShiftedSoftplus.Apply(nn.functional.linear(radial, weight1, bias1));
        Tensor filter = pairs.OfEdges(nn.functional.linear(hidden, weight2, bias2) * envelope);
        Tensor messages = SenderRows.Apply(features, pairs) * filter;
        return ReceiverSum.Apply(messages, pairs).MoveToOuterDisposeScope();
    }
}
