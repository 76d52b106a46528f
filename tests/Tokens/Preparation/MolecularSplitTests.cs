using ChemScale.Engine;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Library;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Tests.Chemistry.Identity;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

[TestFixture]
public class MolecularSplitTests
{
    [Test]
    public void Three_ways_to_write_ethanol_are_one_molecule()
    {
        using TemporaryFolder folder = new();
        PreparationReport report = MoleculePreparation.Run(Options(folder, Corpus.Write(folder["corpus.smi"], ["CCO", "OCC", "C(C)O", "CCN"])));
        Assert.That((report.Taken, report.Molecules, report.Store.Duplicates), Is.EqualTo((4L, 2L, 2L)));
        Assert.That(report.Store.Split.Name, Is.EqualTo("molecule-key-v1"));
    }

    [Test]
    public void Copies_written_differently_fall_on_one_side()
    {
        using TemporaryFolder folder = new();
        string file = Corpus.Write(folder["corpus.smi"], Written(200, 10));
        PreparationOptions options = Options(folder, file) with { KeepDuplicates = true, ValidationFraction = 0.1 };
        StoreLeakage byMolecule = Leakage(options, folder);
        StoreLeakage byText = Leakage(options with { Output = folder["text"], Split = SplitKind.Text }, folder);
        using TokenStore store = TokenStore.Open(options.Output);
        Assert.Multiple(() =>
        {
            Expect.Above(store.Validation.Documents, 50);
            Assert.That(byMolecule.ValidationInOwnTrain, Is.Zero);
            Expect.Above(byText.ValidationInOwnTrain, 100, "the old rule lets them through: the count can see a leak");
        });
        PreparationReport dropped = MoleculePreparation.Run(options with { KeepDuplicates = false, Output = folder["dropped"] });
        Assert.That(dropped.Molecules, Is.EqualTo(200));
        Assert.That(dropped.Store.Duplicates, Is.EqualTo(1800));
    }

    [Test]
    [Category("Data")]
    public void Four_hundred_molecules_in_thousands_of_forms_do_not_leak()
    {
        string[] lines = [.. Chemistry.DataLines.Of(ReferenceData.Require("metrics/identity.tsv.gz")).Skip(1).Select(line => line.Split('\t')[1])];
        using TemporaryFolder folder = new();
        PreparationOptions options = Options(folder, Corpus.Write(folder["corpus.smi"], lines[..9_859])) with { KeepDuplicates = true, ValidationFraction = 0.1 };
        StoreLeakage leakage = Leakage(options, folder);
        using TokenStore store = TokenStore.Open(options.Output);
        Expect.Above(store.Validation.Documents, 500);
        Assert.That(leakage.ValidationInOwnTrain, Is.Zero);
    }

    [Test]
    public void Molecules_of_one_scaffold_fall_on_one_side()
    {
        using TemporaryFolder folder = new();
        string[] substituents = ["C", "CC", "O", "OC", "N", "Cl", "C(=O)O", "FC(F)(F)", "CCO", "S(=O)(=O)N"];
        string[] rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccc2ccccc2c1", "c1ccc(Cc2ccccc2)cc1", "C1CCCCC1=O", "C1CCNC1", "c1ccsc1"];
        string[] smiles = [.. rings.SelectMany(ring => substituents.Select(substituent => substituent + ring)), "CCCC", "CCCO", "CCCN", "CC=O"];
        PreparationOptions options = Options(folder, Corpus.Write(folder["corpus.smi"], smiles)) with { Split = SplitKind.Scaffold, ValidationFraction = 0.4, Seed = 3 };
        PreparationReport report = MoleculePreparation.Run(options);
        string[] held = Side(options.Output, store => store.Validation), trained = Side(options.Output, store => store.Train);
        foreach (string ring in rings)
        {
            HashSet<string> family = [.. substituents.Select(substituent => Selfies(substituent + ring))];
            int inside = held.Count(family.Contains);
            Assert.That(inside, Is.Zero.Or.EqualTo(10), ring);
            Assert.That(trained.Count(family.Contains), Is.EqualTo(10 - inside), ring);
        }
        Assert.That(report.Store.Split.Name, Is.EqualTo("scaffold-key-v1"));
        Assert.That(held, Is.Not.Empty);
        Assert.That(trained, Is.Not.Empty);
    }

    [Test]
    public void Leakage_is_counted_across_grammars_and_ways_of_writing()
    {
        using TemporaryFolder folder = new();
        PreparationOptions one = Options(folder, Corpus.Write(folder["one.smi"], ["CCO", "CCN", "CCC", "c1ccccc1O"])) with { ValidationFraction = 0 };
        PreparationOptions other = one with
        {
            Files = [Corpus.Write(folder["other.smi"], ["OCC", "C1=CC=CC=C1O", "CCF"])],
            Grammar = SelfiesGrammar.V2,
            Output = folder["other"],
        };
        MoleculePreparation.Run(one);
        MoleculePreparation.Run(other);
        using TokenStore first = TokenStore.Open(one.Output), second = TokenStore.Open(other.Output);
        StoreLeakage leakage = StoreLeakage.Between(first, second, 2);
        Assert.That((leakage.TrainInTrain, leakage.TrainInValidation, leakage.ValidationInTrain), Is.EqualTo((2L, 0L, 0L)));
    }

    [Test]
    public void Stereo_is_not_kept_with_a_tokenizer_that_cannot_say_it()
    {
        using TemporaryFolder folder = new();
        string corpus = Corpus.Write(folder["corpus.smi"], ["CCO", "N[C@@H](C)C(=O)O"]);
        MoleculePreparation.Run(Options(folder, corpus));
        PreparationOptions options = Options(folder, corpus) with { Output = folder["again"], KeepStereo = true, TokenizerFile = Path.Combine(folder["store"], "tokenizer.json") };
        InputException refused = Assert.Throws<InputException>(() => MoleculePreparation.Run(options))!;
        Assert.That(refused.Message, Does.Contain("stereo").And.Contain("tokenizer.json"));
    }

    [Test]
    public void Constraints_are_kept_in_the_store_and_in_its_tokenizer()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["bonds.json"], """{"C": 4, "N": 3, "O": 2, "F": 1, "P-1": 6, "H": 1, "?": 8}""");
        BondConstraints given = BondConstraints.Read(folder["bonds.json"]);
        string corpus = Corpus.Write(folder["corpus.smi"], ["F[P-](F)(F)(F)(F)F", "CCO"]);
        PreparationOptions options = Options(folder, corpus) with { Grammar = SelfiesGrammar.V2, Constraints = given };
        PreparationReport report = MoleculePreparation.Run(options);
        using (TokenStore store = TokenStore.Open(options.Output))
        {
            Assert.That(store.Tokenizer.Constraints, Is.EqualTo(given));
            Assert.That(store.Manifest.Options["constraints"], Does.Contain("P-1:6"));
        }
        Assert.That(report.RefusedCount, Is.Zero);
        PreparationReport strict = MoleculePreparation.Run(options with { Constraints = null, Output = folder["strict"] });
        Assert.That(strict.RefusedCount, Is.EqualTo(1), "2.1 gives P-1 four bonds");
    }

    private static PreparationOptions Options(TemporaryFolder folder, string file) => new()
    {
        Files = [file],
        Output = folder["store"],
        Fragments = FragmentRule.All,
        ValidationFraction = 0.5,
    };

    private static StoreLeakage Leakage(PreparationOptions options, TemporaryFolder folder)
    {
        MoleculePreparation.Run(options);
        using TokenStore store = TokenStore.Open(options.Output);
        return StoreLeakage.Between(store, store, 2);
    }

    private static string[] Written(int molecules, int forms)
    {
        var random = new Random(5);
        var library = new VirtualLibrary();
        var writer = new SmilesWriter();
        List<string> lines = [];
        HashSet<Engine.Chemistry.Identity.MoleculeKey> seen = [];
        var identity = new Engine.Chemistry.Identity.MoleculeIdentity();
        for (long i = 0; seen.Count < molecules; i++)
        {
            Molecule molecule = SmilesReader.Parse(library[i]);
            if (!seen.Add(identity.Key(molecule))) continue;
            for (int k = 0; k < forms; k++) lines.Add(writer.Write(ShuffledMolecule.Of(molecule, random)).ToString());
        }
        string[] shuffled = [.. lines];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static string Selfies(string smiles)
    {
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V1);
        return codec.TryEncode(smiles, out ReadOnlySpan<char> selfies) ? selfies.ToString() : codec.Reason;
    }

    private static string[] Side(string folder, Func<TokenStore, TokenSplit> side)
    {
        using TokenStore store = TokenStore.Open(folder);
        TokenSplit split = side(store);
        return [.. Enumerable.Range(0, (int)split.Documents).Select(i => store.Tokenizer.Decode(split.Document(i)))];
    }
}
