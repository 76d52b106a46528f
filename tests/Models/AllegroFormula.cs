using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.Equivariant;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Radial;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

/// <summary>
/// Allegro a second time, slowly, as its formulas read: one-hot vectors, one einsum per path, a dictionary of features per
/// representation. Which representations a layer keeps is given, not derived.
/// </summary>
/// <param name="config">Shape.</param>
/// <param name="kept">For each layer what goes in, and last what comes out: <c>0e 1o</c>, <c>0e</c>.</param>
/// <param name="tensors">Weights and constants by published name.</param>
internal sealed class AllegroFormula(AllegroConfig config, string[] kept, IReadOnlyDictionary<string, Tensor> tensors)
{
    private readonly int features = config.Features;
    private readonly string[] environment = [.. Enumerable.Range(0, config.LMax + 1).Select(l => $"{l}{"eo"[l % 2]}")];

    /// <returns>(atoms)</returns>
    public Tensor AtomEnergies(GraphBatch batch, Tensor positions)
    {
        Tensor vectors = EdgeVectors.Apply(positions, batch.Edges, batch.ShiftVectors);
        Tensor d = vectors.norm(1).unsqueeze(1), x = d / config.Cutoff;
        Tensor receivers = batch.Edges.Receivers, senders = batch.Edges.Senders;
        double p = config.CutoffPower;
        Tensor cutoff = (1 - (p + 1) * (p + 2) / 2 * x.pow(p) + p * (p + 2) * x.pow(p + 1) - p * (p + 1) / 2 * x.pow(p + 2)) * x.lt(1);
        Tensor bessel = (x * tensors["func.radial_basis.basis.basis.bessel_weights"]).sin() * (2 / config.Cutoff) / d;
        Tensor radial = (bessel - tensors["mean"]) * tensors["inv_std"] * cutoff;
        using var harmonics = new SphericalHarmonics(config.LMax, HarmonicScale.Component, ScalarType.Float64);
        Tensor[] y = harmonics.Of(vectors / d).split([.. Enumerable.Range(0, config.LMax + 1).Select(l => 2L * l + 1)], 1);

        Tensor types = OneHot(batch.AtomicNumbers);
        Tensor both = cat([types.index_select(0, receivers), types.index_select(0, senders)], 1);
        Tensor latent = cutoff * Mlp("func.allegro.latents.0", cat([both, radial], 1));
        var carried = new Dictionary<string, Tensor>();
        for (int t = 0; t < config.Layers; t++)
        {
            Tensor w = Mlp($"func.allegro.env_embed_mlps.{t}", latent).view(d.size(0), -1, features, config.LMax + 1);
            if (t == 0) carried = Weighted(w.select(1, 0));
            var around = Weighted(w.select(1, w.size(1) - 1)).ToDictionary(e => e.Key, e => Around(e.Value, t));
            (Tensor scalars, carried) = Product(t, carried, around);
            string next = t < config.Layers - 1 ? $"func.allegro.latents.{t + 1}" : "func.allegro.final_latent";
            Tensor a = tensors["latent_resnet_update_params"].narrow(0, t, 1).sigmoid();
            latent = (latent + a * cutoff * Mlp(next, cat([latent, scalars], 1))) / (1 + a * a).sqrt();
        }
        Tensor energies = Mlp("func.edge_eng._module", latent, silu: false).squeeze(1) / Math.Sqrt(config.AverageNeighbors);
        return zeros(batch.Atoms, dtype: ScalarType.Float64).index_add(0, receivers, energies, 1);

        Dictionary<string, Tensor> Weighted(Tensor w) =>
            environment.ToDictionary(e => e, e => w.select(2, Order(e)).unsqueeze(2) * y[Order(e)].unsqueeze(1));

        Tensor Around(Tensor terms, int t)
        {
            Tensor sums = zeros([batch.Atoms, features, terms.size(2)], dtype: ScalarType.Float64).index_add(0, receivers, terms, 1);
            return tensors["env_sum_normalizations"].narrow(0, t, 1) * sums.index_select(0, receivers);
        }
    }

    private (Tensor Scalars, Dictionary<string, Tensor> Next) Product(
        int t, Dictionary<string, Tensor> carried, Dictionary<string, Tensor> around)
    {
        var next = new Dictionary<string, Tensor>();
        Tensor? scalars = null;
        long used = 0;
        foreach (string o in kept[t + 1].Split(' '))
        {
            Tensor[] paths =
            [
                .. from left in kept[t].Split(' ')
                   from right in environment
                   let l = (Order(left), Order(right), Order(o))
                   where Sign(left) * Sign(right) == Sign(o) && l.Item3 >= Math.Abs(l.Item1 - l.Item2) && l.Item3 <= l.Item1 + l.Item2
                   select einsum("ijk,eui,euj->euk", Wigner(l), carried[left], around[right]) * Math.Sqrt(2 * l.Item3 + 1),
            ];
            Tensor all = stack(paths, 2);
            if (o == "0e") scalars = all.reshape(all.size(0), -1);
            if (t == config.Layers - 1) continue;
            long count = (long)features * features * paths.Length;
            Tensor weight = tensors[$"func.allegro.linears.{t}.w"].narrow(0, used, count).view(features, features, paths.Length);
            used += count;
            next[o] = einsum("vup,eupk->evk", weight, all) / Math.Sqrt(features * paths.Length);
        }
        return (scalars!, next);
    }

    private Tensor Mlp(string name, Tensor x, bool silu = true)
    {
        for (int i = 0; tensors.TryGetValue($"{name}._forward._weight_{i}", out Tensor? w); i++)
            x = (i > 0 && silu ? tensors["silu_cst"] * x / (1 + (-x).exp()) : x).matmul(w) / Math.Sqrt(w.size(0));
        return x;
    }

    private Tensor OneHot(Tensor atomicNumbers)
    {
        long[] known = [.. config.Elements.Split(", ").Select(s => (long)Elements.Number(s, ""))];
        return atomicNumbers.unsqueeze(1).eq(tensor(known)).to(ScalarType.Float64);
    }

    private static Tensor Wigner((int L1, int L2, int L) o) =>
        tensor([.. Wigner3j.Of(o.L1, o.L2, o.L).Cast<double>()]).view(2 * o.L1 + 1, 2 * o.L2 + 1, 2 * o.L + 1);

    private static int Order(string irrep) => irrep[0] - '0';

    private static int Sign(string irrep) => irrep[1] == 'e' ? 1 : -1;
}
