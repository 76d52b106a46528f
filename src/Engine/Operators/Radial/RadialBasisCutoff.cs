using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>What message passing needs of each edge: distance, direction, cutoff function and radial basis from its vector.</summary>
public static class RadialBasisCutoff
{
    /// <param name="edges">Which atoms the edges join. Kernels take each edge for itself; other forms take pairs.</param>
    /// <param name="edgeVectors">(edges, 3) A, none of length zero</param>
    /// <param name="functions">Basis and cutoff function; held fixed in the fused form.</param>
    public static EdgeFeatures Apply(EdgeList edges, Tensor edgeVectors, in RadialFunctions functions)
    {
        PairList pairs = OperatorModes.UseKernels(edgeVectors) ? edges.OneWay : edges.Pairs;
        Tensor vectors = pairs.TwoWay == 0 ? edgeVectors : edgeVectors.index_select(0, pairs.Edges);
        (Tensor distances, Tensor directions, Tensor envelope, Tensor radial) = Of(vectors, functions);
        return new EdgeFeatures(edges, pairs, vectors, distances, directions, radial, envelope);
    }

    /// <param name="vectors">(n, 3) A, none of length zero</param>
    /// <param name="functions">Basis and cutoff function; held fixed in the fused form.</param>
    /// <returns>(n, 1), (n, 3), (n, 1), (n, K)</returns>
    internal static (Tensor Distances, Tensor Directions, Tensor Envelope, Tensor Radial) Of(Tensor vectors, in RadialFunctions functions)
    {
        bool trained = functions.Centers.requires_grad || functions.Exponents is { requires_grad: true };
        return OperatorModes.UseKernels(vectors) && !trained ? RadialFunction.Apply(vectors, functions) : Composed(vectors, functions);
    }

    /// <returns>(edges, 1), (edges, 3), (edges, 1), (edges, K)</returns>
    internal static (Tensor Distances, Tensor Directions, Tensor Envelope, Tensor Radial) Composed(
        Tensor edgeVectors, in RadialFunctions functions)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor distances = EdgeDistances.Apply(edgeVectors);
        Tensor envelope = functions.Power == 0
            ? CosineCutoff.Apply(distances, functions.Cutoff)
            : PolynomialCutoff.Apply(distances, functions.Cutoff, functions.Power);
        Tensor radial = functions.Exponents is { } exponents
            ? GaussianBasis.Apply(distances, functions.Centers, exponents)
            : BesselBasis.Apply(distances, functions.Centers);
        Tensor directions = edgeVectors / distances;
        return (distances.MoveToOuterDisposeScope(), directions.MoveToOuterDisposeScope(), envelope.MoveToOuterDisposeScope(),
            radial.MoveToOuterDisposeScope());
    }
}
