using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>The same by library operations.</summary>
internal static class SchNetEnergiesComposed
{
    /// <param name="settings">What is no tensor.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="atomicNumbers">(atoms)</param>
    /// <param name="inputs">As <see cref="SchNetEnergies"/> has them.</param>
    /// <returns>e, dE/dr</returns>
    public static Tensor?[] Apply(EnergySettings settings, PairList pairs, Tensor atomicNumbers, Tensor?[] inputs) =>
        EnergyDerivatives.Apply(inputs, given => Energies(settings, pairs, atomicNumbers, given));

    private static Tensor Energies(EnergySettings settings, PairList pairs, Tensor atomicNumbers, Tensor?[] inputs)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor?[] edges = RadialBasisCutoffComposed.Apply(settings.Radial, inputs[..3]);
        Tensor x = inputs[3]!.index_select(0, atomicNumbers);
        int at = 4;
        for (int l = 0; l < settings.Interactions; l++, at += 9)
        {
            Tensor h = nn.functional.linear(x, inputs[at]!);
            Tensor m = ContinuousFilterComposed.Apply(pairs, [h, edges[3], edges[2], .. inputs[(at + 1)..(at + 5)]])[0]!;
            Tensor s = ShiftedSoftplus.Apply(nn.functional.linear(m, inputs[at + 5]!, inputs[at + 6]));
            x = x + nn.functional.linear(s, inputs[at + 7]!, inputs[at + 8]);
        }
        return EnergyDerivatives.Head(x, inputs[at..]).MoveToOuterDisposeScope();
    }
}
