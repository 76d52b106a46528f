using ChemScale.Engine.Models.Equivariant;
using ChemScale.Engine.Operators.Allegro;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// The couplings of one layer's tensor product: for each kept representation, in order, the paths from an edge feature and an environment
/// to it, in the order of the features, then of the environments. An output's components are numbered component first, then path, so that
/// the mixing of paths and channels that follows reads each component's paths side by side.
/// </summary>
/// <param name="Features">Representations of the edge features.</param>
/// <param name="Environments">0e 1o 2e ..: those of the harmonics.</param>
/// <param name="Outputs">Representations of the product; scalars first.</param>
internal sealed record AllegroPaths(IReadOnlyList<Irrep> Features, IReadOnlyList<Irrep> Environments, IReadOnlyList<Irrep> Outputs)
{
    /// <summary>Paths to each output.</summary>
    public IReadOnlyList<int> Counts { get; } = [.. Outputs.Select(o => Between(Features, Environments, o).Count())];

    /// <summary>Paths to all outputs.</summary>
    public int Total => Counts.Sum();

    /// <summary>Paths to scalars.</summary>
    public int Scalars => Counts[0];

    /// <summary>Components of the product, all paths: K.</summary>
    public int Components => Outputs.Zip(Counts, (o, n) => o.Components * n).Sum();

    /// <summary>The products of every layer of a model.</summary>
    /// <remarks>
    /// Representations of both parities up to L, where what went in reaches them and they reach a scalar after the last layer.
    /// </remarks>
    public static AllegroPaths[] Plan(int maxOrder, int layers)
    {
        Irrep[] environments = [.. Enumerable.Range(0, maxOrder + 1).Select(Irrep.OfHarmonics)];
        Irrep[] all = [.. from l in Enumerable.Range(0, maxOrder + 1) from parity in (int[])[1, -1] select new Irrep(l, parity)];
        List<Irrep[]> at = [environments];
        for (int t = 1; t < layers; t++) at.Add([.. all.Where(o => Between(at[t - 1], environments, o).Any())]);
        at.Add([Irrep.Scalar]);
        for (int t = layers - 1; t > 0; t--)
            at[t] = [.. at[t].Where(feature => at[t + 1].Any(o => Between([feature], environments, o).Any()))];
        return [.. Enumerable.Range(0, layers).Select(t => new AllegroPaths(at[t], environments, at[t + 1]))];
    }

    /// <summary>Wigner's symbols times sqrt(2 l + 1) of the output.</summary>
    private List<TensorProductEntry> Entries()
    {
        var entries = new List<TensorProductEntry>();
        int first = 0;
        for (int o = 0; o < Outputs.Count; o++)
        {
            int path = first;
            foreach ((int left, int right) in Between(Features, Environments, Outputs[o])) Add(left, right, o, path++);
            first += Outputs[o].Components * Counts[o];
        }
        return entries;

        void Add(int left, int right, int output, int start)
        {
            int l = Outputs[output].Order, startLeft = Width(Features.Take(left)), startRight = Width(Environments.Take(right));
            double[,,] w = Wigner3j.Of(Features[left].Order, Environments[right].Order, l);
            for (int k = 0; k < w.GetLength(2); k++)
            {
                for (int i = 0; i < w.GetLength(0); i++)
                {
                    for (int j = 0; j < w.GetLength(1); j++)
                    {
                        if (w[i, j, k] == 0) continue;
                        double value = Math.Sqrt(2 * l + 1) * w[i, j, k];
                        entries.Add(new TensorProductEntry(start + k * Counts[output], startLeft + i, startRight + j, value));
                    }
                }
            }
        }
    }

    /// <summary>Couplings that are not zero: terms of the product, for each channel.</summary>
    public int TermCount => Entries().Count;

    /// <summary>The product as the operator wants it.</summary>
    public TensorProductTable Table(ScalarType dtype, Device? device = null) =>
        new([.. Features.Select(f => f.Components)], Width(Environments), Components, Entries(), dtype, device);

    /// <summary>Components of representations.</summary>
    private static int Width(IEnumerable<Irrep> irreps) => irreps.Sum(i => i.Components);

    private static IEnumerable<(int Feature, int Environment)> Between(IReadOnlyList<Irrep> features, IReadOnlyList<Irrep> environments,
        Irrep output) =>
        from f in Enumerable.Range(0, features.Count)
        from e in Enumerable.Range(0, environments.Count)
        where features[f].CouplesWith(environments[e], output)
        select (f, e);
}
