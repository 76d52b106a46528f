using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// The rotation-invariant parts of PaiNN's mixed vectors [V | W]: the norm sqrt(sum over xyz of V^2 + epsilon) and the product sum over
/// xyz of V W.
/// </summary>
public static class PaiNNInvariants
{
    /// <param name="mixed">(atoms, 3, 2 F): V and W side by side</param>
    /// <param name="epsilon">Keeps the norm differentiable at zero.</param>
    /// <returns>(atoms, F) each</returns>
    public static (Tensor Norm, Tensor Product) Apply(Tensor mixed, double epsilon) =>
        OperatorModes.UseKernels(mixed) ? PaiNNInvariantsFunction.Apply(mixed, epsilon) : Composed(mixed, epsilon);

    /// <summary>From library operations: the oracle.</summary>
    internal static (Tensor Norm, Tensor Product) Composed(Tensor mixed, double epsilon)
    {
        using DisposeScope scope = NewDisposeScope();
        long features = mixed.size(2) / 2;
        Tensor v = mixed.narrow(2, 0, features), w = mixed.narrow(2, features, features);
        Tensor norm = ((v * v).sum(1) + epsilon).sqrt();
        return (norm.MoveToOuterDisposeScope(), (v * w).sum(1).MoveToOuterDisposeScope());
    }
}
