using ChemScale.Engine.Operators.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

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
        OperatorModes.UseKernels(mixed) ? PaiNNInvariantsKernelsFunction.Apply(mixed, epsilon) : Composed(mixed, epsilon);

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

/// <summary>PaiNN's update (Schütt et al. 2021, equations 9 and 10): q + a + c (V . W) and mu + b W, with [a | b | c] the context.</summary>
public static class PaiNNUpdate
{
    /// <param name="scalars">(atoms, F) q</param>
    /// <param name="vectors">(atoms, 3, F) mu</param>
    /// <param name="context">(atoms, 3 F)</param>
    /// <param name="product">(atoms, F) V . W</param>
    /// <param name="mixed">(atoms, 3, 2 F): V and W side by side</param>
    /// <returns>(atoms, F) and (atoms, 3, F)</returns>
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor scalars, Tensor vectors, Tensor context, Tensor product, Tensor mixed) =>
        OperatorModes.UseKernels(scalars)
            ? PaiNNUpdateKernelsFunction.Apply(scalars, vectors, context, product, mixed)
            : Composed(scalars, vectors, context, product, mixed);

    /// <summary>From library operations: the oracle.</summary>
    internal static (Tensor Scalars, Tensor Vectors) Composed(Tensor scalars, Tensor vectors, Tensor context, Tensor product, Tensor mixed)
    {
        using DisposeScope scope = NewDisposeScope();
        long features = scalars.size(1);
        Tensor a = context.narrow(1, 0, features), b = context.narrow(1, features, features), c = context.narrow(1, 2 * features, features);
        Tensor newScalars = scalars + a + c * product;
        Tensor newVectors = vectors + b.unsqueeze(1) * mixed.narrow(2, features, features);
        return (newScalars.MoveToOuterDisposeScope(), newVectors.MoveToOuterDisposeScope());
    }
}
