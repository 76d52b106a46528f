using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>The whole network on the CPU: one parallel region a pass, over blocks of frames.</summary>
internal sealed class PaiNNEnergiesHost(EnergySettings settings, PairList pairs, EnergyGraph graph, Tensor atomicNumbers) : IOperationPasses
{
    /// <returns>Of the vectors; 0: the widths are not whole ones.</returns>
    public static int Lanes(Tensor?[] inputs) => EnergyLanes.Dividing(inputs[0]!.dtype, inputs[3]!.size(1));

    public Tensor?[] Composed(Tensor?[] inputs) => PaiNNEnergiesComposed.Apply(settings, pairs, atomicNumbers, inputs);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        (Tensor energies, Tensor byVectors, Tensor[] kept) = Of(inputs).Forward(inputs, keep);
        return ([energies, byVectors], kept);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients) => Of(inputs).Backward(inputs, kept, gradients[0], gradients[1]);

    private IEnergyPasses Of(Tensor?[] inputs) => (inputs[0]!.dtype, Lanes(inputs)) switch
    {
        (ScalarType.Float32, 16) => new PaiNNEnergyPasses<SingleLanes16, float>(settings, graph, inputs),
        (ScalarType.Float32, _) => new PaiNNEnergyPasses<SingleLanes8, float>(settings, graph, inputs),
        (ScalarType.Float64, 8) => new PaiNNEnergyPasses<DoubleLanes8, double>(settings, graph, inputs),
        _ => new PaiNNEnergyPasses<DoubleLanes4, double>(settings, graph, inputs),
    };
}
