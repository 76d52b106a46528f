using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>The same by library operations.</summary>
internal static class PaiNNEnergiesComposed
{
    /// <param name="settings">What is no tensor.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="atomicNumbers">(atoms)</param>
    /// <param name="inputs">As <see cref="PaiNNEnergies"/> has them.</param>
    /// <returns>e, dE/dr</returns>
    public static Tensor?[] Apply(EnergySettings settings, PairList pairs, Tensor atomicNumbers, Tensor?[] inputs) =>
        EnergyDerivatives.Apply(inputs, given => Energies(settings, pairs, atomicNumbers, given));

    private static Tensor Energies(EnergySettings settings, PairList pairs, Tensor atomicNumbers, Tensor?[] inputs)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor?[] edges = RadialBasisCutoffComposed.Apply(settings.Radial, inputs[..3]);
        var described = new PaiNNPairs(pairs, edges[1]!, cat([edges[3]! * edges[2]!, edges[2]!], 1));
        Tensor q = inputs[3]!.index_select(0, atomicNumbers);
        Tensor? mu = null;
        int at = 6;
        long rows = 3 * q.size(1);
        for (int l = 0; l < settings.Interactions; l++, at += 9)
        {
            Tensor filter = cat([inputs[4]!.narrow(0, l * rows, rows), inputs[5]!.narrow(0, l * rows, rows).unsqueeze(1)], 1);
            (Tensor dq, Tensor dmu) = PaiNNMessage.Composed(Context(q, at), mu, described, filter);
            (q, mu) = (q + dq, mu is null ? dmu : mu + dmu);
            Tensor mixed = nn.functional.linear(mu, inputs[at + 4]!);
            (Tensor norm, Tensor product) = PaiNNInvariants.Composed(mixed, settings.Epsilon);
            (q, mu) = PaiNNUpdate.Composed(q, mu, Context(cat([q, norm], 1), at + 5), product, mixed);
        }
        return EnergyDerivatives.Head(q, inputs[at..]).MoveToOuterDisposeScope();

        Tensor Context(Tensor x, int place) => nn.functional.linear(
            nn.functional.silu(nn.functional.linear(x, inputs[place]!, inputs[place + 1])), inputs[place + 2]!, inputs[place + 3]);
    }
}
