using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Studies.Toolkits;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Identity;

[TestFixture]
public class MoleculeSetTests
{
    // By RDKit 2022.09: weight, heavy atoms, rings, rotatable bonds.
    [TestCase("CC(=O)Oc1ccccc1C(=O)O", 180.159, 13, 1, 2)]
    [TestCase("CN1C=NC2=C1C(=O)N(C(=O)N2C)C", 194.194, 14, 2, 0)]
    [TestCase("CC(C)(C)c1ccc(CCCN(C)S(=O)(=O)c2ccccc2)cc1", 345.508, 24, 2, 6)]
    [TestCase("C1CC2CCC1CC2", 110.2, 8, 3, 0)]
    [TestCase("N#CCCC(F)(F)F", 123.077, 8, 0, 1)]
    [TestCase("[Na+].[O-]C(=O)CNC(=O)OCC", 169.112, 11, 0, 3)]
    public void Figures_are_rdkits(string smiles, double weight, int heavy, int rings, int rotatable)
    {
        var identity = new MoleculeIdentity();
        identity.Perceive(SmilesReader.Parse(smiles));
        MoleculeFigures figures = MoleculeFigures.Of(identity.Graph, identity.Rings);
        Expect.Close(figures.Weight, weight, absolute: 2e-3);
        Assert.That((figures.HeavyAtoms, figures.Rings, figures.RotatableBonds), Is.EqualTo((heavy, rings, rotatable)));
    }

    [TestCaseSource(nameof(Sets))]
    public void Every_molecule_of_a_set_has_the_figures_and_scaffold_that_rdkit_gives_it(string path)
    {
        var identity = new MoleculeIdentity();
        var scaffold = new MurckoScaffold();
        List<string> wrong = [], cages = [];
        int count = 0;
        foreach (string line in DataLines.Of(path).Skip(1))
        {
            string[] fields = line.Split('\t');
            count++;
            identity.Perceive(SmilesReader.Parse(fields[0]));
            MoleculeFigures figures = MoleculeFigures.Of(identity.Graph, identity.Rings);
            bool close = Math.Abs(figures.Weight - Number(fields[1])) < 2e-3;
            bool equal = (figures.HeavyAtoms, figures.RotatableBonds) == ((int)Number(fields[2]), (int)Number(fields[4]));
            if (!close || !equal) wrong.Add($"{line}: {figures}");
            // RDKit's symmetrised set leaves a ring out of some cages, by their substituents: C1C2CCCC1C2 has three there, and two with both one-atom bridges substituted.
            if (figures.Rings != (int)Number(fields[3])) cages.Add($"{line}: {figures}");
            scaffold.Cut(identity.Graph, keepStereo: true);
            bool cut = fields[5].Length == 0 ? identity.Graph.AtomCount == 0 : identity.KeyOfGraph() == new MoleculeIdentity().Key(SmilesReader.Parse(fields[5]));
            if (!cut) wrong.Add($"scaffold: {line}");
        }
        TestContext.Out.WriteLine(string.Join('\n', wrong.Concat(cages)));
        Expect.AtMost(cages.Count, count / 500.0);
        Expect.Above(count, 1000);
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    [Category("Data")]
    public void Similarities_of_two_sets_are_rdkits()
    {
        Dictionary<string, double> expected = DataLines.Of(ReferenceData.Require("metrics/metrics.tsv")).Skip(1).Select(line => line.Split('\t'))
            .ToDictionary(fields => fields[0], fields => Number(fields[1]));
        MoleculeSample a = Sample("metrics/set_a.tsv.gz"), b = Sample("metrics/set_b.tsv.gz");
        (double first, double second) = SetSimilarity.Diversity(a, a.Molecules.Count, 2, default);
        Expect.Close(first, expected["intdiv1_a"], absolute: 0.005);
        Expect.Close(second, expected["intdiv2_a"], absolute: 0.005);
        (first, second) = SetSimilarity.Diversity(b, b.Molecules.Count, 1, default);
        Expect.Close(first, expected["intdiv1_b"], absolute: 0.005);
        Expect.Close(second, expected["intdiv2_b"], absolute: 0.005);
        double nearest = SetSimilarity.NearestNeighbors(a, a.Molecules.Count, b, 2, default);
        Expect.Close(nearest, expected["snn_a_to_b"], absolute: 0.005);
        Assert.That(SetSimilarity.NearestNeighbors(a, a.Molecules.Count, b, 1, default), Is.EqualTo(nearest), "the same bits for any number of threads");
        Expect.Close(SetSimilarity.Scaffolds(a, b)!.Value, expected["scaf_a_b"], absolute: 0.005);
        Expect.Close(Distances.Wasserstein(Weights(a), Weights(b)), expected["weight_wasserstein_a_b"], absolute: 1e-3);

        static IEnumerable<double> Weights(MoleculeSample of) => of.Molecules.Select(m => m.Figures.Weight);
    }

    [Test]
    public void The_nearest_neighbour_is_that_of_a_search_over_all()
    {
        string[] lines = [.. Enumerable.Range(0, 300).Select(i => new Engine.Chemistry.Library.VirtualLibrary()[37L * i])];
        MoleculeSample one = Of(lines[..100]), other = Of(lines[100..]);
        double all = Enumerable.Range(0, one.Molecules.Count)
            .Average(i => Enumerable.Range(0, other.Molecules.Count).Max(k => CircularFingerprint.Tanimoto(one.Fingerprint(i), other.Fingerprint(k))));
        Expect.Close(SetSimilarity.NearestNeighbors(one, one.Molecules.Count, other, 2, default), all, absolute: 1e-12);
        double mean = Enumerable.Range(0, 100).Average(i => Enumerable.Range(0, 100).Average(k => CircularFingerprint.Tanimoto(one.Fingerprint(i), one.Fingerprint(k))));
        Expect.Close(SetSimilarity.Diversity(one, 100, 2, default).First, 1 - mean, absolute: 1e-12);
    }

    [Test]
    public void A_fingerprint_does_not_depend_on_the_order_of_atoms()
    {
        var random = new Random(3);
        var identity = new MoleculeIdentity();
        var fingerprint = new CircularFingerprint();
        ulong[] bits = new ulong[CircularFingerprint.Words], again = new ulong[CircularFingerprint.Words];
        foreach (string smiles in (string[])["CC(=O)Oc1ccccc1C(=O)O", "C12C3C4C1C5C2C3C45", "CN1CCC[C@H]1c1cccnc1", "OCC.[Na+].[Cl-]"])
        {
            Molecule molecule = SmilesReader.Parse(smiles);
            identity.Perceive(molecule);
            fingerprint.Of(identity.Graph, bits);
            for (int i = 0; i < 10; i++)
            {
                identity.Perceive(ShuffledMolecule.Of(molecule, random));
                fingerprint.Of(identity.Graph, again);
                Assert.That(again, Is.EqualTo(bits), smiles);
            }
        }
    }

    // Five-bonded carbon, four-bonded nitrogen, no Kekule structure, no molecule.
    [TestCase("CC(C)(C)(C)C")]
    [TestCase("CN(C)(C)C")]
    [TestCase("c1cccc1")]
    [TestCase("")]
    [TestCase("CF=C")]
    public void What_is_no_molecule_is_counted_and_left_out(string smiles)
    {
        MoleculeSample sample = Of(["CCO", smiles, "C[N+](C)(C)C", "F[P-](F)(F)(F)(F)F", "CN(=O)=O", "O=S(=O)(O)O"]);
        Assert.That((sample.Lines, sample.Molecules.Count), Is.EqualTo((6, 5)));
    }

    [Test]
    public void Distances_are_those_of_their_definitions()
    {
        Expect.Close(Distances.Wasserstein([0, 1, 3], [5, 6, 8]), 5, absolute: 1e-12);
        Expect.Close(Distances.Wasserstein([0.0], [0, 1]), 0.5, absolute: 1e-12);
        Expect.Close(Distances.Wasserstein([1, 2], [1, 2]), 0, absolute: 0);
        var q = new Dictionary<string, long> { ["C"] = 1, ["N"] = 1 };
        var p = new Dictionary<string, long> { ["C"] = 3, ["N"] = 1 };
        Expect.Close(Distances.Divergence(q, p), 0.75 * Math.Log(1.5) + 0.25 * Math.Log(0.5), absolute: 1e-9);
        Expect.Close(Distances.Divergence(new Dictionary<string, long> { ["C"] = 1 }, p), 0.75 * Math.Log(0.75) + 0.25 * Math.Log(0.25 / 1e-10), absolute: 1e-6);
    }

    /// <summary>Every one, every second, every fourth of what comes by.</summary>
    [TestCase(3, 10, ExpectedResult = "0 4 8"), TestCase(4, 4, ExpectedResult = "0 1 2 3"), TestCase(4, 5, ExpectedResult = "0 2 4"), TestCase(2, 100, ExpectedResult = "0 64")]
    public string A_sample_is_spread_over_all(int most, int count)
    {
        var sample = new SpreadSample(most);
        for (int i = 0; i < count; i++) sample.Add($"{i}");
        return string.Join(' ', sample.Kept);
    }

    [Test, Category("Data")]
    public void RDKit_tells_what_it_reads()
    {
        _ = Rdkit.Lines("print(1)").Count();
        if (Environment.GetEnvironmentVariable("CHEMSCALE_PYTHON") is not { Length: > 0 }) Assert.Ignore("CHEMSCALE_PYTHON names no Python");
        Assert.That(ToolkitValidity.Of(["CCO", "c1ccccc1", "CC(C)(C)(C)C", "C1CC"], default), Is.EqualTo(new ToolkitValidity(4, 2, null)));
    }

    [Test]
    public void Distinct_molecules_are_counted_not_their_ways_of_writing()
    {
        var set = new MoleculeSet();
        Assert.That(((string[])["CCO", "OCC", "C(", "CCN", "C(C)O"]).Select(smiles => set.Add(smiles)), Is.EqualTo((bool?[])[true, false, null, true, false]));
        Assert.That(set.Count, Is.EqualTo(2));
    }

    private static IEnumerable<TestCaseData> Sets() => ReferenceData.Cases("metrics", "set_*.tsv.gz");

    private static MoleculeSample Sample(string file) => Of([.. DataLines.Of(ReferenceData.Require(file)).Skip(1).Select(line => line.Split('\t')[0])]);

    private static MoleculeSample Of(string[] lines) => MoleculeSample.Of(lines, false, () => SelfiesCodec.Create(SelfiesGrammar.V2), 2, default);

    private static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
