using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Families;
using ChemScale.Tests.Chemistry;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

/// <summary>The same molecules in stores of two representations.</summary>
public class RepresentationTests
{
    [Test]
    public void Both_stores_hold_the_same_molecules_on_the_same_sides_in_the_same_order()
    {
        using TemporaryFolder folder = new();
        Alike(folder, new PreparationOptions { Source = MoleculeStores.VirtualLibrary(400), Output = "", Split = SplitKind.Molecule, ValidationFraction = 0.2, Threads = 3 });
    }

    [TestCase("smiles/moses.smi.gz")]
    [TestCase("smiles/qm9.smi.gz")]
    [TestCase("smiles/pubchem.smi.gz")]
    [Category("Data")]
    public void Molecules_of_a_corpus_fall_alike(string file)
    {
        using TemporaryFolder folder = new();
        Alike(folder, new PreparationOptions { Files = [ReferenceData.Require(file)], Limit = 5000, Output = "", ValidationFraction = 0.1, Threads = 2 });
    }

    [Test]
    [Category("Data")]
    public void SMILES_come_back_as_they_were_given()
    {
        using TemporaryFolder folder = new();
        string[] lines = [.. new[] { "moses", "pubchem" }.SelectMany(name => DataLines.Of(ReferenceData.Require($"smiles/{name}.smi.gz")).Take(4000))
            .Select(l => l.Split(' ', '\t')[0])];
        PreparationReport report = MoleculePreparation.Run(new PreparationOptions
        {
            Files = [Corpus.Write(folder["corpus.smi"], lines)],
            Output = folder["store"],
            Representation = Representation.Smiles,
            KeepStereo = true,
            KeepDuplicates = true,
            Fragments = FragmentRule.All,
            ValidationFraction = 0.1,
        });
        Expect.Above(report.Taken, 7900);
        Assert.That(report.Store.UnknownTokens, Is.Zero);
        // What could be read, as it stands there.
        HashSet<string> given = [.. lines];
        string[] texts = Corpus.Texts(folder["store"]);
        Assert.That(texts.Where(text => !given.Contains(text)), Is.Empty);
        Assert.That(texts, Has.Length.EqualTo((int)report.Taken));
    }

    [Test]
    public void A_store_of_SMILES_says_so()
    {
        using TemporaryFolder folder = new();
        string corpus = Corpus.Write(folder["corpus.smi"], ["CCO", "F/C=C/F", "[Na+].CC(=O)[O-]", "N[C@@H](C)C(=O)O", "c1ccccc1", "C1CC", "C[C@H](Br)Cl"]);
        PreparationReport report = MoleculePreparation.Run(Options(folder, corpus));
        Assert.That(report.Refused.Single().Reason, Is.EqualTo("unclosed ring 1"));
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo((string[])["CCO", "FC=CF", "CC(=O)[O-]", "NC(C)C(=O)O", "c1ccccc1", "CC(Br)Cl"]));
        using TokenStore store = TokenStore.Open(folder["store"]);
        Assert.That((store.Manifest.Representation, store.Manifest.NotationName), Is.EqualTo((Representation.Smiles, "SMILES")));
        Assert.That((store.Manifest.Options["representation"], store.Manifest.Options["writing"]), Is.EqualTo(("smiles", "as given")));
        Assert.That(store.Manifest.Options, Does.Not.ContainKey("grammar"));
        Assert.That(File.ReadAllText(folder["store/store.json"]), Does.Contain("\"representation\": \"smiles\"").And.Not.Contain("\"grammar\""));
        Assert.That(StoreFacts.Of(folder["store"], null).Facts["Representation"], Is.EqualTo("SMILES"));

        MoleculePreparation.Run(Options(folder, corpus) with { Output = folder["stereo"], KeepStereo = true, Fragments = FragmentRule.All });
        Assert.That(Corpus.Texts(folder["stereo"]), Does.Contain("F/C=C/F").And.Contain("N[C@@H](C)C(=O)O").And.Contain("[Na+].CC(=O)[O-]"));
    }

    [TestCase(Representation.Selfies)]
    [TestCase(Representation.Smiles)]
    public void Written_one_way_all_copies_are_one_text(Representation representation)
    {
        using TemporaryFolder folder = new();
        string corpus = Corpus.Write(folder["corpus.smi"], ["CCO", "OCC", "C(C)O", "c1ccccc1O", "C1=CC=CC=C1O", "Oc1ccccc1"]);
        PreparationOptions options = Options(folder, corpus) with { Representation = representation, KeepDuplicates = true };
        MoleculePreparation.Run(options);
        Expect.Above(Corpus.Texts(folder["store"]).Distinct().Count(), 3);
        MoleculePreparation.Run(options with { Canonical = true, Output = folder["canonical"] });
        string[] texts = Corpus.Texts(folder["canonical"]);
        Assert.That((texts.Length, texts.Distinct().Count()), Is.EqualTo((6, 2)));
        using TokenStore store = TokenStore.Open(folder["canonical"]);
        Assert.That(store.Tokenizer.Notation.Canonical, Is.True);
        Assert.That(store.Manifest.Options["writing"], Is.EqualTo("canonical"));
    }

    [Test]
    public void SELFIES_become_SMILES_by_their_grammar()
    {
        using TemporaryFolder folder = new();
        string corpus = Corpus.Write(folder["corpus.txt"], ["[C][C][O]", "[C][=C][Branch1][C][F][C]", "[nonsense]"]);
        PreparationReport report = MoleculePreparation.Run(Options(folder, corpus) with { Kind = MoleculeKind.Selfies, Grammar = SelfiesGrammar.V2 });
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo((string[])["CCO", "C=C(F)C"]));
        Assert.That(report.RefusedCount, Is.EqualTo(1));
    }

    [Test]
    public void What_does_not_go_together_is_refused()
    {
        using TemporaryFolder folder = new();
        string corpus = Corpus.Write(folder["corpus.smi"], ["CCO", "CCN"]);
        PreparationOptions smiles = Options(folder, corpus);
        Assert.That(() => MoleculePreparation.Run(smiles with { Grammar = SelfiesGrammar.V2 }), Refused.With("grammar"));
        MoleculePreparation.Run(smiles);
        MoleculePreparation.Run(smiles with { Representation = null, Output = folder["selfies"] });
        string ofSmiles = folder["store/tokenizer.json"], ofSelfies = folder["selfies/tokenizer.json"];
        Assert.That(() => MoleculePreparation.Run(smiles with { TokenizerFile = ofSelfies, Output = folder["no"] }), Refused.With("SELFIES"));
        Assert.That(() => MoleculePreparation.Run(smiles with { Representation = Representation.Selfies, TokenizerFile = ofSmiles, Output = folder["no"] }),
            Refused.With("SMILES"));
        Assert.That(() => MoleculePreparation.Run(smiles with { TokenizerFile = ofSmiles, KeepStereo = true, Output = folder["no"] }), Refused.With("stereo"));
        // The tokenizer says what comes of it.
        PreparationReport again = MoleculePreparation.Run(smiles with { Representation = null, TokenizerFile = ofSmiles, Output = folder["again"] });
        Assert.That(again.Store.Representation, Is.EqualTo(Representation.Smiles));
        // A store whose files are of two kinds.
        File.Copy(ofSelfies, folder["again/tokenizer.json"], overwrite: true);
        Assert.That(() => TokenStore.Open(folder["again"]), Refused.With("tokenizer.json"));
    }

    private static PreparationOptions Options(TemporaryFolder folder, string file) => new()
    {
        Files = [file],
        Output = folder["store"],
        Representation = Representation.Smiles,
        ValidationFraction = 0.3,
        Threads = 2,
    };

    private static void Alike(TemporaryFolder folder, PreparationOptions options)
    {
        PreparationReport selfies = MoleculePreparation.Run(options with { Output = folder["selfies"] });
        PreparationReport smiles = MoleculePreparation.Run(options with { Output = folder["smiles"], Representation = Representation.Smiles });
        using TokenStore first = TokenStore.Open(folder["selfies"]), second = TokenStore.Open(folder["smiles"]);
        // What SELFIES 1.0.4 cannot say is another molecule in that store, and counted as changed.
        long changed = selfies.Changed.Sum(lines => lines.Count) + selfies.RefusedCount - smiles.RefusedCount;
        foreach ((TokenSplit one, TokenSplit other) in new[] { (first.Train, second.Train), (first.Validation, second.Validation) })
        {
            MoleculeKey[] a = Keys(first, one), b = Keys(second, other);
            Expect.Above(a.Length, 10);
            if (changed == 0) Assert.That(b, Is.EqualTo(a));
            else Expect.AtMost(b.Except(a).Count(), (int)changed);
        }
        StoreLeakage leakage = StoreLeakage.Between(second, first, 2);
        Assert.That((leakage.TrainInValidation, leakage.ValidationInTrain), Is.EqualTo((0L, 0L)));
        Expect.AtLeast(leakage.TrainInTrain, second.Train.Documents - changed);
    }

    private static MoleculeKey[] Keys(TokenStore store, TokenSplit split)
    {
        var keys = new MoleculeKey[split.Documents];
        var identity = new MoleculeIdentity();
        SelfiesCodec? codec = store.Tokenizer.Notation.CreateCodec();
        for (int i = 0; i < keys.Length; i++)
        {
            ReadOnlySpan<char> smiles = store.Tokenizer.Decode(split.Document(i));
            Assert.That(codec?.TryDecode(smiles, out smiles) ?? true, Is.True);
            Assert.That(identity.TryKey(smiles, out keys[i]), Is.True);
        }
        return keys;
    }
}
