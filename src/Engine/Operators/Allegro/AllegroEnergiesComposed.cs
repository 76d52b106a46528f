using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>The same by library operations.</summary>
internal static class AllegroEnergiesComposed
{
    /// <param name="settings">What is no tensor.</param>
    /// <param name="edges">The edges.</param>
    /// <param name="atoms">The atoms.</param>
    /// <param name="inputs">As <see cref="AllegroEnergies"/> has them.</param>
    /// <returns>e, dE/dr</returns>
    public static Tensor?[] Apply(AllegroSettings settings, EdgeList edges, AllegroAtoms atoms, Tensor?[] inputs) =>
        EnergyDerivatives.Apply(inputs, given => Energies(settings, edges, atoms.Elements(), [.. given.Select(t => t!)]));

    private static Tensor Energies(AllegroSettings s, EdgeList edges, Tensor elements, Tensor[] inputs)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor distances = EdgeDistances.Apply(inputs[0]), envelope = PolynomialCutoff.Apply(distances, s.Cutoff, s.Power), gain = inputs[5];
        Tensor radial = (BesselBasis.Apply(distances, inputs[6] / s.Cutoff) * (2 / s.Cutoff) - inputs[1]) * inputs[2] * envelope;
        Tensor harmonics = Harmonics(s, inputs[0] / distances), orders = tensor([.. Enumerable.Range(0, s.Components).Select(j => (long)AllegroSettings.OrderOf(j))]);
        int at = AllegroSettings.Fixed + 1, u = s.Features, sets = 2;
        Tensor rows = inputs[at] / Math.Sqrt(inputs[at].size(0));
        Tensor ofElements = rows.narrow(0, 0, s.Elements).index_select(0, elements.index_select(0, edges.Receivers))
            + rows.narrow(0, s.Elements, s.Elements).index_select(0, elements.index_select(0, edges.Senders));
        Tensor latent = AfterFirst(ofElements + radial.mm(rows.narrow(0, 2 * s.Elements, radial.size(1))), ref at, s.TwoBodyMatrices) * envelope;
        Tensor features = latent;
        for (int t = 0; t < s.Layers; t++, sets = 1)
        {
            AllegroProduct product = s.Products[t];
            // (D, sets, U, L + 1) to (D, sets, L + 1, U)
            Tensor matrix = (inputs[at++] / Math.Sqrt(latent.size(1))).view(latent.size(1), sets, u, s.Orders).transpose(2, 3);
            Tensor weights = latent.mm(matrix.reshape(latent.size(1), -1)).view(edges.Count, sets, s.Orders, u);
            if (t == 0) features = WeightedHarmonics.Apply(weights.select(1, 0), harmonics, orders);
            Tensor environments = AllegroEnvironment.Apply(weights.select(1, sets - 1) * inputs[3].narrow(0, t, 1), harmonics, orders, edges);
            Tensor[] products = AllegroTensorProduct.Composed(features, environments, edges, product.Table())
                .split([.. product.Outputs.Select(o => (long)o.Components * o.Paths)], 1);
            if (t + 1 < s.Layers)
            {
                Tensor[] blocks = inputs[at++].split([.. product.Outputs.Select(o => (long)u * u * o.Paths)]);
                features = cat([.. product.Outputs.Select((o, b) => Mixed(products[b], blocks[b], o))], 1);
            }
            // (paths, U) to (U, paths), as the published rows are.
            Tensor scalars = products[0].transpose(1, 2).reshape(edges.Count, -1), share = inputs[4].narrow(0, t, 1).sigmoid();
            Tensor made = AfterFirst(cat([latent, scalars], 1).mm(inputs[at] / Math.Sqrt(inputs[at].size(0))), ref at, s.LatentMatrices);
            latent = (latent + made * share * envelope) / (share * share + 1).sqrt();
        }
        for (int i = 0; i < s.EnergyMatrices; i++, at++) latent = latent.mm(inputs[at] / Math.Sqrt(inputs[at].size(0)));
        return (ReceiverSum.Apply(latent.squeeze(1), edges) / Math.Sqrt(s.AverageNeighbors)).MoveToOuterDisposeScope();

        Tensor AfterFirst(Tensor hidden, ref int place, int matrices)
        {
            place++;
            for (int i = 1; i < matrices; i++, place++) hidden = (nn.functional.silu(hidden) * gain).mm(inputs[place] / Math.Sqrt(inputs[place].size(0)));
            return hidden;
        }

        Tensor Mixed(Tensor product, Tensor block, AllegroOutput o)
        {
            Tensor matrix = block.view(u, u, o.Paths).permute(2, 1, 0).reshape(o.Paths * u, u) / Math.Sqrt(o.Paths * u);
            return product.reshape(edges.Count * o.Components, o.Paths * u).mm(matrix).view(edges.Count, o.Components, u);
        }
    }

    private static Tensor Harmonics(AllegroSettings s, Tensor directions)
    {
        var orders = new List<Tensor> { ones_like(directions.narrow(1, 0, 1)) };
        Tensor monomials = ones_like(orders[0]);
        foreach (HarmonicDegree degree in s.Harmonics)
        {
            monomials = monomials.index_select(1, tensor(degree.Lower)) * directions.index_select(1, tensor(degree.Axis));
            orders.Add(monomials.mm(tensor(degree.Coefficients).to(directions.dtype)));
        }
        return cat(orders, 1);
    }
}
