using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.Radial;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary>A radial basis and a cutoff function.</summary>
/// <param name="Centers">(K) offsets in A of Gaussians, or frequencies in 1/A of Bessel functions</param>
/// <param name="Exponents">(K) of the Gaussians in 1/A^2; null: Bessel functions</param>
/// <param name="Cutoff">A</param>
/// <param name="Power">p of the polynomial cutoff, 2 or more; 0: the cosine</param>
public readonly record struct RadialFunctions(Tensor Centers, Tensor? Exponents, double Cutoff, int Power);

/// <summary>What message passing needs of each edge: distance, direction, cutoff function and radial basis from its vector.</summary>
/// <remarks>
/// Passes: vectors, centers, exponents or null to d, u, f, phi. There is no host form: the composed one is as fast on a CPU.
/// </remarks>
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
        var settings = new RadialSettings(functions.Exponents is not null, functions.Cutoff, functions.Power);
        bool trained = functions.Centers.requires_grad || functions.Exponents is { requires_grad: true };
        Tensor?[] inputs = [vectors, functions.Centers, functions.Exponents];
        Tensor?[] outputs = OperatorModes.UseKernels(vectors) && !trained
            ? OperationFunction.Apply(new RadialBasisCutoffKernels(settings), inputs)
            : RadialBasisCutoffComposed.Apply(settings, inputs);
        return (outputs[0]!, outputs[1]!, outputs[2]!, outputs[3]!);
    }
}
