using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

[TestFixture(SelfiesGrammar.V1)]
[TestFixture(SelfiesGrammar.V2)]
public class SmilesInputTests(SelfiesGrammar grammar)
{
    private static readonly string[] Smiles = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[N+](C)(C)C", "FC(F)(F)c1ccncc1"];

    [Test]
    public void Smiles_become_the_selfies_of_the_grammar()
    {
        using TemporaryFolder folder = new();
        PreparationReport report = MoleculePreparation.Run(Options(folder, Corpus.Write(folder["corpus.smi"], Smiles)));
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo(Smiles.Select(Selfies)));
        Assert.That(report.Store.Grammar, Is.EqualTo(grammar));
    }

    [Test]
    public void The_same_molecule_falls_on_the_same_side_as_smiles_and_as_selfies()
    {
        using TemporaryFolder folder = new();
        PreparationOptions smiles = Options(folder, Corpus.Write(folder["corpus.smi"], Smiles));
        MoleculePreparation.Run(smiles);
        string file = Corpus.Write(folder["corpus.txt"], Corpus.Texts(folder["store"]));
        MoleculePreparation.Run(smiles with { Files = [file], Kind = MoleculeKind.Selfies, Output = folder["again"] });
        Assert.That(Corpus.Texts(folder["again"]), Is.EqualTo(Corpus.Texts(folder["store"])));
    }

    [TestCase("C1CCC")]
    [TestCase("C(")]
    [TestCase("[Q]")]
    [TestCase("C)C")]
    [TestCase("hello")]
    public void A_smiles_that_is_none_is_refused_and_counted(string bad)
    {
        using TemporaryFolder folder = new();
        string file = Corpus.Write(folder["corpus.smi"], [.. Smiles, bad, bad]);
        PreparationReport report = MoleculePreparation.Run(Options(folder, file));
        Assert.That((report.Taken, report.RefusedCount), Is.EqualTo(((long)Smiles.Length, 2L)));
        Assert.That(report.Refused, Has.Count.EqualTo(1));
        Assert.That(report.Refused[0].Reason, Is.Not.Empty.And.Not.Contains("\n"));
        Assert.That(report.Refused[0].Examples, Is.EqualTo((string[])[$"{file}:6: {bad}", $"{file}:7: {bad}"]));
    }

    [TestCase(false, FragmentRule.Largest, "CC(N)O")]
    [TestCase(false, FragmentRule.All, "CC(N)O.Cl")]
    [TestCase(true, FragmentRule.Largest, "C[C@H](N)O")]
    [TestCase(false, FragmentRule.Refuse, null)]
    public void Stereo_and_salts_are_treated_as_the_options_say(bool keepStereo, FragmentRule fragments, string? expected)
    {
        using TemporaryFolder folder = new();
        string file = Corpus.Write(folder["corpus.smi"], ["CCC", "C[C@H](N)O.Cl"]);
        PreparationReport report = MoleculePreparation.Run(Options(folder, file) with { KeepStereo = keepStereo, Fragments = fragments });
        string[] stored = [.. Corpus.Texts(folder["store"]).Where(text => text != Selfies("CCC"))];
        Assert.That(stored, Is.EqualTo(expected is null ? [] : (string[])[Selfies(expected)]));
        Assert.That(report.Refused.Select(lines => lines.Reason), Is.EqualTo(expected is null ? ["more than one fragment"] : (string[])[]));
        Assert.That(report.Store.Options["stereo"], Is.EqualTo(keepStereo ? "kept" : "stripped"));
        Assert.That(report.Store.Options["fragments"], Is.EqualTo(fragments.ToString().ToLowerInvariant()));
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["smiles", "*.smi.gz"])]
    public void A_real_corpus_is_prepared_and_every_molecule_of_its_store_reads_back(string file)
    {
        using TemporaryFolder folder = new();
        const int lines = 5000;
        PreparationReport report = MoleculePreparation.Run(Options(folder, file) with { Limit = lines });
        Assert.That(report.Taken, Is.EqualTo(lines));
        Expect.Below(report.RefusedCount, lines / 100);
        Assert.That(report.Store.UnknownTokens, Is.Zero);

        SelfiesCodec codec = SelfiesCodec.Create(grammar);
        using TokenStore store = TokenStore.Open(folder["store"]);
        store.Verify();
        for (long i = 0; i < store.Train.Documents; i++)
        {
            string selfies = store.Tokenizer.Decode(store.Train.Document(i));
            Assert.That(codec.TryDecode(selfies, out _), selfies);
        }
    }

    private string Selfies(string smiles)
    {
        SelfiesCodec codec = SelfiesCodec.Create(grammar);
        Assert.That(codec.TryEncode(smiles, out ReadOnlySpan<char> selfies), codec.Reason);
        return selfies.ToString();
    }

    private PreparationOptions Options(TemporaryFolder folder, string file) => new()
    {
        Files = [file],
        Output = folder["store"],
        Grammar = grammar,
        ValidationFraction = 0.3,
        Threads = 2,
    };
}
