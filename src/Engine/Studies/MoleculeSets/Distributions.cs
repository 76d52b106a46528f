using System.Globalization;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Studies.MoleculeSets;

/// <summary>The quantities that two sets are compared by.</summary>
internal static class Distributions
{
    private const double WeightBin = 10;

    public static IEnumerable<Distribution> Of(MoleculeSample generated, MoleculeSample reference)
    {
        yield return Numeric("weight", "g/mol", WeightBin, Each(m => m.Figures.Weight));
        yield return Numeric("heavy atoms", "", 1, Each(m => m.Figures.HeavyAtoms));
        yield return Numeric("rings", "", 1, Each(m => m.Figures.Rings));
        yield return Numeric("ring sizes", "atoms", 1, (All(generated, m => m.RingSizes.Select(size => (double)size)), All(reference, m => m.RingSizes.Select(size => (double)size))));
        yield return Numeric("rotatable bonds", "", 1, Each(m => m.Figures.RotatableBonds));
        yield return Named("elements", m => m.Elements.Select(e => PeriodicTable.Symbol(e)));
        yield return Numeric("charge of molecules", "e", 1, Each(m => m.Figures.Charge));
        yield return Numeric("charge of atoms", "e", 1, (All(generated, m => m.AtomCharges.Select(c => (double)c)), All(reference, m => m.AtomCharges.Select(c => (double)c))));
        yield return Numeric("tokens a molecule", "", 1, (Tokens(generated), Tokens(reference)));
        yield return Named("tokens", m => m.Selfies is null ? [] : Symbols(m.Selfies));

        (double[], double[]) Each(Func<MeasuredMolecule, double> of) => ([.. generated.Molecules.Select(of)], [.. reference.Molecules.Select(of)]);

        Distribution Named(string name, Func<MeasuredMolecule, IEnumerable<string>> of)
        {
            Dictionary<string, long> one = Count(generated.Molecules.SelectMany(of)), other = Count(reference.Molecules.SelectMany(of));
            return new Distribution
            {
                Name = name,
                Unit = "",
                GeneratedMean = null,
                ReferenceMean = null,
                Wasserstein = null,
                Divergence = one.Count > 0 && other.Count > 0 ? Distances.Divergence(one, other) : null,
                Bins = Bins(one, other, key => key, one.Keys.Union(other.Keys).OrderByDescending(key => other.GetValueOrDefault(key)).ThenBy(key => key, StringComparer.Ordinal)),
            };
        }
    }

    private static Distribution Numeric(string name, string unit, double bin, (double[] Generated, double[] Reference) values)
    {
        Dictionary<double, long> one = Count(values.Generated.Select(Bin)), other = Count(values.Reference.Select(Bin));
        bool both = values.Generated.Length > 0 && values.Reference.Length > 0;
        return new Distribution
        {
            Name = name,
            Unit = unit,
            GeneratedMean = values.Generated.Length > 0 ? values.Generated.Average() : null,
            ReferenceMean = values.Reference.Length > 0 ? values.Reference.Average() : null,
            Wasserstein = both ? Distances.Wasserstein(values.Generated, values.Reference) : null,
            Divergence = both ? Distances.Divergence(one, other) : null,
            Bins = Bins(one, other, key => key.ToString("G6", CultureInfo.InvariantCulture), one.Keys.Union(other.Keys).Order()),
        };

        double Bin(double value) => Math.Floor(value / bin) * bin;
    }

    private static IReadOnlyList<DistributionBin> Bins<TKey>(Dictionary<TKey, long> one, Dictionary<TKey, long> other, Func<TKey, string> text, IEnumerable<TKey> order)
        where TKey : notnull
    {
        double total = Math.Max(1, one.Values.Sum()), otherTotal = Math.Max(1, other.Values.Sum());
        return [.. order.Select(key => new DistributionBin(text(key), one.GetValueOrDefault(key) / total, other.GetValueOrDefault(key) / otherTotal))];
    }

    private static Dictionary<TKey, long> Count<TKey>(IEnumerable<TKey> values)
        where TKey : notnull => values.CountBy(value => value).ToDictionary(pair => pair.Key, pair => (long)pair.Value);

    private static double[] All(MoleculeSample sample, Func<MeasuredMolecule, IEnumerable<double>> of) => [.. sample.Molecules.SelectMany(of)];

    private static double[] Tokens(MoleculeSample sample) => [.. sample.Molecules.Where(m => m.Selfies is not null).Select(m => (double)Symbols(m.Selfies!).Count)];

    private static List<string> Symbols(string selfies)
    {
        List<string> symbols = [];
        foreach (ReadOnlySpan<char> symbol in SelfiesSymbols.Enumerate(selfies)) symbols.Add(symbol.ToString());
        return symbols;
    }
}
