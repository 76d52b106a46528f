using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// SpookyNet (Unke et al. 2021) from the pairs' vectors to the atoms' energies e, and dE/dr of their sum: what a training step on energies and forces
/// is made of, with one derivative more.
/// </summary>
/// <remarks>
/// Inputs: r (pairs, 3) A, each pair for both directions; fixed numbers: electrons (elements, 20), of each module the random directions (F, m). Weights: element
/// table (elements, F), electrons' matrix (F, 20); of charge, then spin, the query (F, F), (F), key and value (F, signs), a perceptron without biases; the decay
/// before softplus (1); of each module a residual block, three filters (F, K), four perceptrons of own features and of s, p, d, two projections (2 F, F), the
/// local perceptron, three of queries, keys and values, a residual block, the output perceptron; outputs (2, F), of elements (elements, 2); ten numbers of
/// repulsion before softplus, where there is one. A residual block is a, b (F), W (F, F), (F), a, b (F), W (F, F), (F); a perceptron has a, b, W and a bias more.
/// </remarks>
internal static class SpookyNetEnergies
{
    /// <summary>Whether there is such a pass, and it is to be taken.</summary>
    public static bool Has(SpookyNetSettings settings, Tensor?[] inputs) => !OperatorModes.UseKernels(inputs[0]!) && OperatorModes.UseHost(inputs[0]!)
        && EnergyLanes.Fit(inputs, settings.Fixed) && SpookyNetLanes.Of(inputs[0]!.dtype, settings.Features) > 0;

    /// <param name="settings">What is no tensor.</param>
    /// <param name="frames">The frames.</param>
    /// <param name="graph">The same for passes.</param>
    /// <param name="inputs">As above.</param>
    /// <returns>e (atoms) and dE/dr (pairs, 3)</returns>
    public static (Tensor Energies, Tensor ByVectors) Apply(SpookyNetSettings settings, SpookyNetFrames frames, SpookyNetGraph graph, Tensor?[] inputs)
    {
        Tensor?[] outputs = OperationFunction.Apply(new SpookyNetEnergiesHost(settings, frames, graph), inputs);
        return (outputs[0]!, outputs[1]!);
    }
}
