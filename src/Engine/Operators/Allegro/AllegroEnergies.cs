using System.Runtime.Intrinsics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Allegro (Musaelian et al. 2023) from the edges' vectors to the atoms' energies e, and dE/dr of their sum: what a training step on energies and forces
/// is made of, with one derivative more.
/// </summary>
/// <remarks>
/// Inputs: r (edges, 3) A; fixed numbers: mean and 1 / deviation of the radial basis (K), factors of environments (layers), shares of updates before
/// their sigmoid (layers), gain of SiLU (1); frequencies (K); the two-body perceptron's matrices, (2 Z + K, ..) first; of each layer the weights of
/// harmonics (D, sets U (L + 1)), but for the last the mixing of paths, and the latent perceptron's matrices, (D + U paths, ..) first; the energy's matrices.
/// </remarks>
internal static class AllegroEnergies
{
    /// <summary>Of the inputs that are no weights.</summary>
    public const int Fixed = 6;

    /// <summary>Whether there is such a pass, and it is to be taken.</summary>
    public static bool Has(Tensor?[] inputs) =>
        !OperatorModes.UseKernels(inputs[0]!) && OperatorModes.UseHost(inputs[0]!) && EnergyLanes.Fit(inputs, Fixed) && Lanes(inputs[0]!.dtype, 0) > 0;

    /// <param name="settings">What is no tensor.</param>
    /// <param name="edges">The edges.</param>
    /// <param name="atoms">The atoms.</param>
    /// <param name="inputs">As above.</param>
    /// <returns>e (atoms) and dE/dr (edges, 3)</returns>
    public static (Tensor Energies, Tensor ByVectors) Apply(AllegroSettings settings, EdgeList edges, AllegroAtoms atoms, Tensor?[] inputs)
    {
        Tensor?[] outputs = OperationFunction.Apply(new AllegroEnergiesHost(settings, edges, atoms), inputs);
        return (outputs[0]!, outputs[1]!);
    }

    /// <summary>Lanes for so many channels, filled up to whole vectors; 0: there are none.</summary>
    public static int Lanes(ScalarType type, int features)
    {
        if (!Vector256.IsHardwareAccelerated || type is not (ScalarType.Float32 or ScalarType.Float64)) return 0;
        int few = type == ScalarType.Float32 ? 8 : 4;
        return Vector512.IsHardwareAccelerated && features % (2 * few) == 0 ? 2 * few : few;
    }
}

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
    /// <summary>L + 1</summary>
    public int Orders => Harmonics.Count + 1;

    /// <summary>(L + 1)^2</summary>
    public int Components => Orders * Orders;

    public int Layers => Products.Count;

    /// <summary>Order of a component.</summary>
    public static int OrderOf(int component) => (int)Math.Sqrt(component);
}

/// <summary>Harmonics of one order as polynomials: each monomial is one of the order below times a component of the vector.</summary>
/// <param name="Lower">(monomials)</param>
/// <param name="Axis">(monomials)</param>
/// <param name="Coefficients">(monomials, 2 l + 1)</param>
internal sealed record HarmonicDegree(long[] Lower, long[] Axis, double[,] Coefficients);

/// <summary>A layer's tensor product.</summary>
/// <param name="Table">Its terms.</param>
/// <param name="Outputs">Representations of the result, scalars first, in the order of the table's outputs: a component's paths side by side.</param>
internal sealed record AllegroProduct(TensorProductTable Table, IReadOnlyList<AllegroOutput> Outputs);

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
