using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>
/// The bar for float32: measured by the composed form in float64, kernels err at most twice as much as the composed form in float32.
/// </summary>
internal static class Float32Errors
{
    /// <summary>By the root of the mean square of each tensor's errors, and by the largest; prints the ratios.</summary>
    public static void AtMostTwice(
        IReadOnlyList<string> names, IReadOnlyList<Tensor> kernels, IReadOnlyList<Tensor> composed, IReadOnlyList<Tensor> exact)
    {
        for (int i = 0; i < exact.Count; i++)
        {
            (double mean, double largest) = Errors(kernels[i], exact[i]);
            (double meanComposed, double largestComposed) = Errors(composed[i], exact[i]);
            TestContext.Out.WriteLine(
                $"{names[i],-24} {mean:e2}, composed {meanComposed:e2}: {mean / meanComposed:f2}; largest {largest / largestComposed:f2}");
            // Not constraints of less or equal, which NaN passes.
            Assert.That(mean <= 2 * meanComposed, $"{names[i]}: {mean:e2}, composed {meanComposed:e2}");
            Assert.That(largest <= 2 * largestComposed, $"{names[i]}: largest {largest:e2}, composed {largestComposed:e2}");
        }
    }

    private static (double Mean, double Largest) Errors(Tensor values, Tensor exact)
    {
        Tensor errors = (values.to(ScalarType.Float64) - exact).abs();
        return (errors.square().mean().sqrt().item<double>(), errors.max().item<double>());
    }
}
