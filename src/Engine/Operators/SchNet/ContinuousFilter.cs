using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// SchNet's continuous-filter convolution (Schütt et al. 2017): m_i = sum over edges j -> i of h_j * W(d), elementwise, with the filter
/// W(d) = (ssp(phi(d) W1^T + b1) W2^T + b2) f(d). The cutoff f multiplies the finished filter.
/// </summary>
/// <remarks>Passes: h, phi, f, W1, b1, W2, b2 to m.</remarks>
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
        Tensor?[] inputs = [features, edges.Radial, edges.Envelope, weight1, bias1, weight2, bias2];
        IOperationPasses? passes = Choose(features, edges);
        return (passes is null ? ContinuousFilterComposed.Apply(edges.Pairs, inputs) : OperationFunction.Apply(passes, inputs))[0]!;
    }

    /// <summary>Whether gradients' gradients run along h, phi and f alone, as those of training on forces do.</summary>
    internal static bool IsAlongEdges(Tensor?[] along) => System.Array.TrueForAll(along[3..], t => t is null);

    private static IOperationPasses? Choose(Tensor features, in EdgeFeatures edges)
    {
        // Kernels take each edge for itself, and filters that a group's shared memory has room for.
        if (OperatorModes.UseKernels(features) && edges.Pairs.TwoWay == 0)
        {
            return ContinuousFilterKernels.Fits(features, edges.Radial)
                ? new ContinuousFilterKernels(edges.Edges)
                : new ContinuousFilterHost(edges.Pairs);
        }
        return OperatorModes.UseHost(features) ? new ContinuousFilterHost(edges.Pairs) : null;
    }
}

/// <summary>ssp(x) = ln(1 + e^x) - ln 2: SchNet's activation.</summary>
public static class ShiftedSoftplus
{
    // From here on the library takes x itself: where that is exact in float64, and e^x still fits float32.
    private const int Threshold = 40;

    public static Tensor Apply(Tensor x)
    {
        using Tensor softplus = nn.functional.softplus(x, 1, Threshold);
        return softplus - Math.Log(2);
    }
}
