using ChemScale.Kernels.Maths;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary>
/// Functions that are zero, with derivatives of every order, where they are <see cref="Negligible"/>: so no form makes subnormal numbers of
/// them. NaN stays NaN.
/// </summary>
internal static class Underflow
{
    /// <summary>e^x</summary>
    public static Tensor Exp(Tensor exponents)
    {
        using Tensor kept = Kept(exponents);
        return kept.exp();
    }

    /// <summary>1 / (1 + e^-x)</summary>
    public static Tensor Sigmoid(Tensor arguments)
    {
        using Tensor kept = Kept(arguments);
        return kept.sigmoid();
    }

    /// <summary>x, and zero where its absolute value is <paramref name="negligible"/> or less.</summary>
    public static Tensor Drop(Tensor values, double negligible = Negligible.Value) => nn.functional.hardshrink(values, negligible);

    /// <summary>e^-infinity is zero exactly, and no gradient passes.</summary>
    private static Tensor Kept(Tensor exponents) => nn.functional.threshold(exponents, Negligible.Exponent, double.NegativeInfinity);
}
