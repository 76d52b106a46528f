using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

public class MoleculePreparationTests
{
    [Test]
    public void A_corpus_becomes_a_store_with_a_vocabulary_of_its_own_symbols()
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(5000);
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, Corpus.Write(folder["corpus.smi"], molecules)));
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo(molecules));
        Assert.That((report.Lines, report.Taken, report.Molecules, report.RefusedCount), Is.EqualTo((5000L, 5000L, 5000L, 0L)));
        Assert.That(report.Store.VocabularySize, Is.EqualTo(5 + 6));
        Assert.That(report.Store.UnknownTokens, Is.Zero);
        Assert.That(report.Tokens, Is.EqualTo(molecules.Sum(text => 2 + text.Count(c => c == '['))));
        Assert.That(report.Longest, Is.EqualTo(molecules.Max(text => 2 + text.Count(c => c == '['))));
        Assert.That(
            (report.Store.Source, report.Store.Synthetic, report.Store.Grammar),
            Is.EqualTo(("corpus.smi", false, SelfiesGrammar.V1)));
        Expect.Above(report.MoleculesPerSecond, 0);

        SymbolCounts counts = new();
        foreach (string molecule in molecules) counts.Add(molecule);
        using TokenStore store = TokenStore.Open(folder["store"]);
        Assert.That(store.Tokenizer.ToJson(), Is.EqualTo(counts.ToTokenizer(SelfiesGrammar.V1).ToJson()));
    }

    [Test]
    public void The_number_of_threads_the_compression_and_the_line_ends_do_not_change_a_byte()
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(20_000);
        string plain = Corpus.Write(folder["corpus.smi"], molecules);
        string zipped = Corpus.Write(folder["corpus.smi.gz"], molecules, "\r\n");
        MoleculePreparation.Run(Corpus.Options(folder, plain) with { Output = folder["a"], Threads = 1 });
        MoleculePreparation.Run(Corpus.Options(folder, zipped) with { Output = folder["b"], Threads = 7 });
        foreach (string name in (string[])["train.tokens", "train.offsets", "validation.tokens", "validation.offsets", "tokenizer.json"])
            Assert.That(File.ReadAllBytes(folder[$"b/{name}"]), Is.EqualTo(File.ReadAllBytes(folder[$"a/{name}"])), name);
    }

    [Test]
    public void A_tokenizer_file_gives_its_ids_and_unknown_symbols_are_counted()
    {
        using TemporaryFolder folder = new();
        SmallTokenizer.Create(SelfiesGrammar.V2).Save(folder["t.json"]);
        PreparationOptions options = Corpus.Options(folder, Corpus.Write(folder["corpus.txt"], ["[C][N]", "[C][Se]"])) with
        {
            TokenizerFile = folder["t.json"],
            ValidationFraction = 0,
        };
        PreparationReport report = MoleculePreparation.Run(options);
        Assert.That(report.Store.UnknownTokens, Is.EqualTo(1));
        Assert.That(report.Store.Grammar, Is.EqualTo(SelfiesGrammar.V2));
        using TokenStore store = TokenStore.Open(folder["store"]);
        Assert.That(
            Enumerable.Range(0, 2).Select(i => string.Join(' ', store.Train.Document(i).ToArray())),
            Is.EquivalentTo((string[])["2 5 6 3", "2 5 0 3"]));
        Assert.That(() => MoleculePreparation.Run(options with { Grammar = SelfiesGrammar.V1, Overwrite = true }),
            Refused.With("a tokenizer for SELFIES 2.1; expected one for 1.0.4"));
    }

    [Test]
    public void Rare_symbols_of_the_corpus_become_unknown()
    {
        using TemporaryFolder folder = new();
        string file = Corpus.Write(folder["corpus.smi"], ["[C][N]", "[C][Se]", "[N][C]"]);
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, file) with { MinimumCount = 2 });
        Assert.That((report.Store.VocabularySize, report.Store.UnknownTokens), Is.EqualTo((7, 1L)));
    }

    [Test]
    public void Refused_lines_are_counted_by_reason_with_the_first_five_and_where_they_stand()
    {
        using TemporaryFolder folder = new();
        List<string> lines = [.. Corpus.Molecules(3000)];
        for (int i = 0; i < 7; i++) lines.Insert(10 * i, "C1CC(");
        lines.Insert(20, "[C][SEP][N]");
        lines.Add(string.Concat(Enumerable.Repeat("[C]", 511)));
        lines.Add(string.Concat(Enumerable.Repeat("[C]", 4000)));
        lines.Add("");
        string file = Corpus.Write(folder["corpus.smi"], lines);
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, file));
        Assert.That((report.Lines, report.Taken, report.RefusedCount), Is.EqualTo((3011L, 3000L, 10L)));
        Assert.That(report.Refused.Select(lines => (lines.Reason, lines.Count)), Is.EqualTo((object[])[
            ("not SELFIES: a symbol in brackets expected", 7L),
            ("a special token inside the molecule", 1L),
            ("more than 10000 characters", 1L),
            ("more than 512 tokens", 1L),
        ]));
        Assert.That(
            report.Refused[0].Examples,
            Is.EqualTo((int[])[1, 11, 22, 32, 42]).Using<string,
            int>((text, line) => text == $"{file}:{line}: C1CC("));
        Assert.That(report.Refused[3].Examples[0], Does.StartWith($"{file}:3009: [C][C]").And.EndsWith("..."));
    }

    [Test]
    public void Duplicates_are_dropped_and_counted_unless_asked_for()
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(500);
        string file = Corpus.Write(folder["corpus.smi"], molecules.Concat(molecules));
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, file));
        Assert.That((report.Taken, report.Molecules, report.Store.Duplicates), Is.EqualTo((1000L, 500L, 500L)));
        report = MoleculePreparation.Run(Corpus.Options(folder, file) with { KeepDuplicates = true, Overwrite = true });
        Assert.That((report.Taken, report.Molecules, report.Store.Duplicates), Is.EqualTo((1000L, 1000L, 500L)));
    }

    [Test]
    public void A_limit_takes_the_first_molecules_exactly()
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(20_000);
        string file = Corpus.Write(folder["corpus.smi"], ["C(", .. molecules[..900], "C(", .. molecules[900..], "C("]);
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, file) with { Limit = 1000 });
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo(molecules[..1000]));
        Assert.That((report.Lines, report.Taken, report.RefusedCount), Is.EqualTo((1002L, 1000L, 2L)));
        Assert.That(report.Store.Options["limit"], Is.EqualTo("1000"));
    }

    [Test]
    public void Several_files_are_read_one_after_another()
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(300);
        string first = Corpus.Write(folder["a.smi.gz"], molecules[..100].Append("bad"));
        string second = Corpus.Write(folder["b.csv"], ["id,selfies", .. molecules[100..].Select((text, i) => $"{i},{text}"), "7,bad"]);
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, first, second));
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo(molecules));
        Assert.That(report.Refused[0].Examples, Is.EqualTo((string[])[$"{first}:101: bad", $"{second}:202: bad"]));
        Assert.That(report.Store.Source, Is.EqualTo("a.smi.gz, b.csv"));
    }

    [Test]
    public void Progress_ends_at_the_whole()
    {
        using TemporaryFolder folder = new();
        List<PreparationProgress> seen = [];
        MoleculePreparation.Run(Corpus.Options(folder, Corpus.Write(folder["corpus.smi"], Corpus.Molecules(2000))), new Recorder(seen));
        Assert.That(seen[^1], Is.EqualTo(new PreparationProgress("done", 1, 2000, 2000, 0, seen[^1].Elapsed)));
        Expect.AllBetween(seen.Select(progress => progress.Fraction!.Value), 0, 1);
    }

    [Test]
    public void Made_molecules_are_taken_by_index_and_marked_synthetic()
    {
        using TemporaryFolder folder = new();
        PreparationOptions options = Corpus.Options(folder) with { Source = new MadeMolecules(4000), Limit = 3000 };
        PreparationReport report = MoleculePreparation.Run(options);
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo(Corpus.Molecules(3000)));
        Assert.That((report.Store.Synthetic, report.Store.Source), Is.EqualTo((true, "made molecules")));
        report = MoleculePreparation.Run(options with { Limit = null, Overwrite = true });
        Assert.That(report.Molecules, Is.EqualTo(4000));
    }

    [Test]
    public void A_worker_that_fails_stops_everything_and_says_why()
    {
        using TemporaryFolder folder = new();
        PreparationOptions options = Corpus.Options(folder) with
        {
            Source = new MadeMolecules(1_000_000),
            Encoder = () => new FailingEncoder(),
        };
        Assert.That(() => MoleculePreparation.Run(options), Throws.TypeOf<InvalidOperationException>().With.Message.EqualTo("a bug"));
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    [Test]
    public void A_cancelled_preparation_writes_nothing()
    {
        using TemporaryFolder folder = new();
        using CancellationTokenSource source = new();
        PreparationOptions options = Corpus.Options(folder) with { Source = new MadeMolecules(10_000_000) };
        source.CancelAfter(50);
        Assert.That(() => MoleculePreparation.Run(options, null, source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    private sealed class MadeMolecules(long count) : IMoleculeSource
    {
        public string Name => "made molecules";

        public bool Synthetic => true;

        public long Count => count;

        public int MaximumCharacters => 200;

        public int Write(long index, Span<char> molecule)
        {
            string text = Store.SmallStore.Molecule((int)index);
            text.CopyTo(molecule);
            return text.Length;
        }
    }

    private sealed class FailingEncoder : IMoleculeEncoder
    {
        private int calls;

        public string Reason => "";

        public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies) =>
            ++calls > 5000 ? throw new InvalidOperationException("a bug") : (selfies = molecule).Length > 0;
    }

    private sealed class Recorder(List<PreparationProgress> seen) : IProgress<PreparationProgress>
    {
        public void Report(PreparationProgress value) => seen.Add(value);
    }
}
