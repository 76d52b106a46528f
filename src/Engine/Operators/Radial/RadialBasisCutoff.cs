using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>What message passing needs of each edge: distance, direction, cutoff function and radial basis from its vector.</summary>
public static class RadialBasisCutoff
{
    /// <param name="edges">Which atoms the edges join.</param>
    /// <param name="edgeVectors">(edges, 3) A, none of length zero</param>
    /// <param name="functions">Basis and cutoff function; held fixed in the fused form.</param>
    public static EdgeFeatures Apply(EdgeList edges, Tensor edgeVectors, in RadialFunctions functions)
    {
        bool trained = functions.Centers.requires_grad || functions.Exponents is { requires_grad: true };
        (Tensor distances, Tensor directions, Tensor envelope, Tensor radial) = OperatorModes.UseKernels(edgeVectors) && !trained
            ? RadialFunction.Apply(edgeVectors, functions)
            : Composed(edgeVectors, functions);
        return new EdgeFeatures(edges, edgeVectors, distances, directions, radial, envelope);
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
