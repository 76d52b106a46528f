using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>The whole network on the CPU: one parallel region a pass, over blocks of receivers.</summary>
internal sealed class AllegroEnergiesHost(AllegroSettings settings, EdgeList edges, AllegroAtoms atoms) : IOperationPasses
{
    private readonly AllegroGraph graph = AllegroGraph.Of(edges, atoms);

    public Tensor?[] Composed(Tensor?[] inputs) => AllegroEnergiesComposed.Apply(settings, edges, atoms, inputs);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        (Tensor energies, Tensor byVectors, Tensor[] kept) = Of(inputs).Forward(inputs, keep);
        return ([energies, byVectors], kept);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients) => Of(inputs).Backward(inputs, kept, gradients[0], gradients[1]);

    private IEnergyPasses Of(Tensor?[] inputs) => (inputs[0]!.dtype, AllegroSettings.Lanes(inputs[0]!.dtype, settings.Features)) switch
    {
        (ScalarType.Float32, 16) => new AllegroEnergyPasses<SingleLanes16, float>(settings, graph, inputs),
        (ScalarType.Float32, _) => new AllegroEnergyPasses<SingleLanes8, float>(settings, graph, inputs),
        (ScalarType.Float64, 8) => new AllegroEnergyPasses<DoubleLanes8, double>(settings, graph, inputs),
        _ => new AllegroEnergyPasses<DoubleLanes4, double>(settings, graph, inputs),
    };
}
