using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>
/// Rounding is measured by the sum of the absolute values of the terms that a number is added up from. An operation on absolute values,
/// with <see cref="Function"/> for what is no sum or product, gives these sums, and its derivatives give those of the derivatives.
/// </summary>
internal static class AbsoluteTerms
{
    /// <summary>Of the sum of absolute terms, in float64.</summary>
    public const double Tolerance = 1e-12;

    /// <summary>
    /// A function whose argument is a sum of absolute terms: not at that sum, but with the absolute value and derivatives that it has where
    /// the true sum lies.
    /// </summary>
    /// <param name="sum">The argument's absolute terms; differentiable.</param>
    /// <param name="value">Absolute terms of the function's value.</param>
    /// <param name="first">Of its first derivative.</param>
    /// <param name="second">Of its second; null: no second derivatives are wanted.</param>
    public static Tensor Function(Tensor sum, Tensor value, Tensor first, Tensor? second = null)
    {
        Tensor step = sum - sum.detach(), linear = value + first * step;
        return second is null ? linear : linear + second / 2 * step * step;
    }

    /// <summary>Number by number; prints the largest error.</summary>
    public static void Agree(
        IReadOnlyList<string> names, IReadOnlyList<Tensor> found, IReadOnlyList<Tensor> expected, IReadOnlyList<Tensor> terms,
        double tolerance = Tolerance)
    {
        double worst = 0;
        string where = "";
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.That(found[i].shape, Is.EqualTo(expected[i].shape), names[i]);
            if (expected[i].numel() == 0) continue;
            // Where there are no terms there must be no error.
            double error = ((found[i] - expected[i]).abs() / (terms[i] + 1e-300)).max().item<double>();
            // Not a constraint of less or equal, which NaN passes.
            Assert.That(error <= tolerance, $"{names[i]}: {error:e2} of the sum of absolute terms");
            if (error > worst) (worst, where) = (error, names[i]);
        }
        TestContext.Out.WriteLine($"largest error {worst:e1} of the sum of absolute terms: {where}");
    }
}
