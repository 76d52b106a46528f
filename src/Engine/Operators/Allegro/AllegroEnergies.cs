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
    /// <summary>Whether there is such a pass, and it is to be taken.</summary>
    public static bool Has(Tensor?[] inputs) => !OperatorModes.UseKernels(inputs[0]!) && OperatorModes.UseHost(inputs[0]!)
        && EnergyLanes.Fit(inputs, AllegroSettings.Fixed) && AllegroSettings.Lanes(inputs[0]!.dtype, 0) > 0;

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
}
