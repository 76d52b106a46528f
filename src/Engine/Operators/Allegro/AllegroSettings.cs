using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>What of an Allegro is no tensor.</summary>
/// <param name="Cutoff">A</param>
/// <param name="Power">p of the polynomial cutoff</param>
/// <param name="AverageNeighbors">Energies are divided by its root.</param>
/// <param name="Elements">Z that it knows.</param>
/// <param name="Features">U channels.</param>
/// <param name="Harmonics">Orders 1 .. L; that of order 0 is 1.</param>
/// <param name="Products">Of each layer.</param>
/// <param name="TwoBodyMatrices">Matrices of the two-body perceptron.</param>
/// <param name="LatentMatrices">Matrices of each latent perceptron.</param>
/// <param name="EnergyMatrices">Matrices from latent features to an energy.</param>
internal sealed record AllegroSettings(
    double Cutoff, int Power, double AverageNeighbors, int Elements, int Features, IReadOnlyList<HarmonicDegree> Harmonics,
    IReadOnlyList<AllegroProduct> Products, int TwoBodyMatrices, int LatentMatrices, int EnergyMatrices)
{
    /// <summary>Inputs of the passes that are no weights.</summary>
    public const int Fixed = 6;

    /// <summary>L + 1</summary>
    public int Orders => Harmonics.Count + 1;

    /// <summary>(L + 1)^2</summary>
    public int Components => Orders * Orders;

    public int Layers => Products.Count;

    /// <summary>Order of a component.</summary>
    public static int OrderOf(int component) => (int)Math.Sqrt(component);

    /// <summary>Lanes for so many channels, filled up to whole vectors; 0: there are none.</summary>
    public static int Lanes(ScalarType type, int features)
    {
        if (!Vector256.IsHardwareAccelerated || type is not (ScalarType.Float32 or ScalarType.Float64)) return 0;
        int few = type == ScalarType.Float32 ? 8 : 4;
        return Vector512.IsHardwareAccelerated && features % (2 * few) == 0 ? 2 * few : few;
    }
}

/// <summary>Harmonics of one order as polynomials: each monomial is one of the order below times a component of the vector.</summary>
/// <param name="Lower">(monomials)</param>
/// <param name="Axis">(monomials)</param>
/// <param name="Coefficients">(monomials, 2 l + 1)</param>
internal sealed record HarmonicDegree(long[] Lower, long[] Axis, double[,] Coefficients);

/// <summary>A layer's tensor product.</summary>
/// <param name="Entries">Its terms.</param>
/// <param name="Left">Components of the features.</param>
/// <param name="Components">Of the result, all paths.</param>
/// <param name="Outputs">Representations of the result, scalars first, in the order of the components: a component's paths side by side.</param>
/// <param name="Table">The same with tensors, which passes on raw memory do not hold.</param>
internal sealed record AllegroProduct(
    IReadOnlyList<TensorProductEntry> Entries, int Left, int Components, IReadOnlyList<AllegroOutput> Outputs, Func<TensorProductTable> Table);

/// <summary>A representation that a tensor product makes.</summary>
/// <param name="Components">2 l + 1</param>
/// <param name="Paths">To it.</param>
internal readonly record struct AllegroOutput(int Components, int Paths);

/// <summary>A batch's atoms. The tensors are the caller's, and outlive the graph.</summary>
/// <param name="ElementOfNumber">int64: place among the model's elements of each atomic number</param>
/// <param name="Numbers">(atoms) int64: atomic numbers</param>
internal sealed record AllegroAtoms(Tensor ElementOfNumber, Tensor Numbers)
{
    /// <returns>(atoms) int64</returns>
    public Tensor Elements() => ElementOfNumber.index_select(0, Numbers);
}
