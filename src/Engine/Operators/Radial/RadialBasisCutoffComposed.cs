using ChemScale.Kernels.Radial;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary><see cref="RadialBasisCutoff"/> from library operations: the oracle.</summary>
internal static class RadialBasisCutoffComposed
{
    /// <param name="settings">Basis and cutoff function.</param>
    /// <param name="inputs">Vectors (n, 3), centers (K), exponents (K) or null.</param>
    /// <returns>d (n, 1), u (n, 3), f (n, 1), phi (n, K)</returns>
    public static Tensor?[] Apply(RadialSettings settings, Tensor?[] inputs)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor vectors, Tensor centers) = (inputs[0]!, inputs[1]!);
        Tensor distances = EdgeDistances.Apply(vectors);
        Tensor envelope = settings.Power == 0
            ? CosineCutoff.Apply(distances, settings.Cutoff)
            : PolynomialCutoff.Apply(distances, settings.Cutoff, settings.Power);
        Tensor radial = settings.Gaussian
            ? GaussianBasis.Apply(distances, centers, inputs[2]!)
            : BesselBasis.Apply(distances, centers);
        Tensor directions = vectors / distances;
        return [distances.MoveToOuterDisposeScope(), directions.MoveToOuterDisposeScope(), envelope.MoveToOuterDisposeScope(),
            radial.MoveToOuterDisposeScope()];
    }
}
