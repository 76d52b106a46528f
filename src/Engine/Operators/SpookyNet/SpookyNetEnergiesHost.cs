using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>The whole network on the CPU: one parallel region a pass, over blocks of frames.</summary>
internal sealed class SpookyNetEnergiesHost(SpookyNetSettings settings, SpookyNetFrames frames, SpookyNetGraph graph) : IOperationPasses
{
    public Tensor?[] Composed(Tensor?[] inputs) => SpookyNetEnergiesComposed.Apply(settings, frames, inputs);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        (Tensor energies, Tensor byVectors, Tensor[] kept) = Of(inputs).Forward(inputs, keep);
        return ([energies, byVectors], kept);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients) => Of(inputs).Backward(inputs, kept, gradients[0], gradients[1]);

    private IEnergyPasses Of(Tensor?[] inputs) => (inputs[0]!.dtype, SpookyNetLanes.Of(inputs[0]!.dtype, settings.Features)) switch
    {
        (ScalarType.Float32, 16) => new SpookyNetEnergyPasses<SingleLanes16, float>(settings, graph, inputs),
        (ScalarType.Float32, _) => new SpookyNetEnergyPasses<SingleLanes8, float>(settings, graph, inputs),
        (ScalarType.Float64, 8) => new SpookyNetEnergyPasses<DoubleLanes8, double>(settings, graph, inputs),
        _ => new SpookyNetEnergyPasses<DoubleLanes4, double>(settings, graph, inputs),
    };
}
