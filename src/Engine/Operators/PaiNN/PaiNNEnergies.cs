using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// PaiNN (Schütt et al. 2021) from the pairs' vectors to the atoms' energies e, and dE/dr of their sum: what a training step on energies and forces is
/// made of, with one derivative more.
/// </summary>
/// <remarks>
/// Inputs: r (pairs, 3), centers (K), exponents (K) or null, element table (elements, F), all interactions' filters (3 F L, K), (3 F L); of each interaction
/// the message's context (F, F), (F), (3 F, F), (3 F), the vectors' mix (2 F, F), the update's context (F, 2 F), (F), (3 F, F), (3 F); of the head
/// (F / 2, F), (F / 2), (1, F / 2), (1).
/// </remarks>
internal static class PaiNNEnergies
{
    /// <summary>Whether there is such a pass, and it is to be taken: widths that are whole vectors, frames that are not too large.</summary>
    public static bool Has(Tensor?[] inputs) => !OperatorModes.UseKernels(inputs[0]!) && OperatorModes.UseHost(inputs[0]!)
        && EnergyLanes.Fit(inputs) && PaiNNEnergiesHost.Lanes(inputs) > 0;

    /// <param name="settings">What is no tensor.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="graph">The same by frames.</param>
    /// <param name="atomicNumbers">(atoms)</param>
    /// <param name="inputs">As above.</param>
    /// <returns>e (atoms) and dE/dr (pairs, 3)</returns>
    public static (Tensor Energies, Tensor ByVectors) Apply(EnergySettings settings, PairList pairs, EnergyGraph graph, Tensor atomicNumbers, Tensor?[] inputs)
    {
        Tensor?[] outputs = OperationFunction.Apply(new PaiNNEnergiesHost(settings, pairs, graph, atomicNumbers), inputs);
        return (outputs[0]!, outputs[1]!);
    }
}
