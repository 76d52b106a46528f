using System.Text;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens.Preparation;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

/// <summary>Files of molecules as other programs leave them.</summary>
public class ReaderEdgeTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("CCO\rCCN\rCCC", 3), TestCase("CCO\r\nCCN\r\nCCC\r\n", 3), TestCase("CCO\n\rCCN\r\r\nCCC", 5)]
    public void A_line_ends_with_LF_CR_or_both(string text, long lines)
    {
        PreparationReport report = Prepare("a.smi", text);
        Assert.That((report.Molecules, report.Lines, report.RefusedCount), Is.EqualTo((3L, lines, 0L)));
    }

    [Test]
    public void Line_ends_across_the_pieces_that_are_read_are_one_each([Values("\r", "\r\n")] string end, [Values(65_533, 65_534, 65_535, 65_536)] int before)
    {
        string text = string.Concat(Enumerable.Repeat("CC" + end, before / (2 + end.Length))) + "CCN" + end + "CCO";
        PreparationReport report = Prepare("a.smi", text);
        Assert.That((report.Lines, report.Molecules), Is.EqualTo((before / (2 + end.Length) + 2L, 3L)));
    }

    [Test]
    public void Comments_are_no_refusals()
    {
        PreparationReport report = Prepare("a.smi", "# a list\nCCO ethanol\n  # more\nCCN\n");
        Assert.That((report.Molecules, report.RefusedCount, report.Lines), Is.EqualTo((2L, 0L, 4L)));
    }

    [Test]
    public void A_line_break_between_quotes_belongs_to_its_cell()
    {
        PreparationReport report = Prepare("a.csv", "smiles,note\nCCN,\"first line\nCCO,second line\"\nCCC,\"a \"\"b\"\",\n\nc\"\n\"CC\",x\n");
        Assert.That((report.Molecules, report.RefusedCount, report.Lines), Is.EqualTo((3L, 0L, 7L)));
    }

    [Test]
    public void A_quote_that_spoils_its_record_spoils_one_line()
    {
        PreparationReport report = Prepare("a.csv", "note,smiles\n\"open,CCN\nb,CCO\n\"c\" d,CCC\ne,CC\n\"f,CO\n");
        Assert.That((report.Molecules, report.RefusedCount), Is.EqualTo((2L, 3L)));
        Assert.That(report.Refused.Single().Reason, Is.EqualTo("a quote that is not closed"));
        Assert.That(report.Refused.Single().Examples.Select(e => e.Split(':')[^2]), Is.EqualTo((string[])["2", "4", "6"]));
    }

    [Test]
    public void Records_across_the_pieces_that_are_read_are_whole([Values(40_000, 65_000, 65_520, 70_000)] int before)
    {
        var text = new StringBuilder("note,smiles\n");
        while (text.Length < before) text.Append("x,CC\n");
        text.Append("\"").Insert(text.Length, "a long note,\nCCO\n", 12).Append("\",CCN\n\"y\",CCC\n");
        PreparationReport report = Prepare("a.csv", text.ToString());
        Assert.That((report.Molecules, report.RefusedCount), Is.EqualTo((3L, 0L)));
    }

    [TestCase("\"the, name\",\"smiles\"\n\"a, b\",CCO\n", "a.csv"), TestCase("id\tsmiles, canonical\n1\tCCO\n", "a.tsv")]
    public void Names_of_columns_may_hold_the_delimiter(string text, string file) => Assert.That(Prepare(file, text).Molecules, Is.EqualTo(1));

    [TestCase("[C] [C] [O]\n[C][=C] ethene\n[N] [C] [C] amine\n[C]\t[N]\n", "a.txt")]
    [TestCase("id,selfies\n1,[C] [C] [O]\n2,[C][=C]\n3, [N] [C] [C]\n4,[C] [N]\n", "a.csv")]
    public void Symbols_of_SELFIES_may_stand_apart(string text, string file)
    {
        PreparationReport report = Prepare(file, text, MoleculeKind.Selfies);
        Assert.That((report.Molecules, report.RefusedCount), Is.EqualTo((4L, 0L)));
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo((string[])["[C][C][O]", "[C][=C]", "[N][C][C]", "[C][N]"]));
    }

    [TestCase("C%(100)CCCCC%(100)", "C1CCCCC1"), TestCase("C%(12)CCCCC%12", "C1CCCCC1"), TestCase("C%(999)CC%(1)CCC%(999)CC%01", "C1CC2CCC1CC2")]
    public void Ring_labels_of_three_digits_are_labels(string smiles, string same)
    {
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V2);
        Assert.That(codec.TryEncode(same, out ReadOnlySpan<char> expected), codec.Reason);
        string wanted = expected.ToString();
        Assert.That(codec.TryEncode(smiles, out ReadOnlySpan<char> found), codec.Reason);
        Assert.That(found.ToString(), Is.EqualTo(wanted));
    }

    [TestCase("C%(1000)CC%(1000)"), TestCase("C%()CC%()"), TestCase("C%(1"), TestCase("C%("), TestCase("C%"), TestCase("C%1")]
    public void Ring_labels_that_are_none_are_refused(string smiles) =>
        Assert.That(SelfiesCodec.Create(SelfiesGrammar.V2).TryEncode(smiles, out _), Is.False);

    [Test]
    public void Molecules_that_the_grammar_changes_are_counted()
    {
        const string Text = "CN(=O)=O\nC[N+](=O)[O-]\nc1ccc2[nH]ccc2c1\nCS(=O)(=O)N1CCOCC1\nCOS(=O)(=O)OC\nO=N(=O)c1ccccc1\nCC(=O)[O-].[Na+]\nC1=CC2=CC=CC2=CC=C1\n";
        PreparationReport report = Prepare("a.smi", Text);
        RefusedLines changed = report.Changed.Single(c => c.Reason.StartsWith("decodes to", StringComparison.Ordinal));
        Assert.That((report.Molecules, changed.Count), Is.EqualTo((8L, 2L)));
        Assert.That(changed.Examples.Select(e => e.Split(' ')[^1]), Is.EqualTo((string[])["CN(=O)=O", "O=N(=O)c1ccccc1"]));
    }

    [Test]
    public void Unknown_symbols_and_separators_of_fragments_are_counted_apart()
    {
        File.WriteAllText(folder["t.json"], SmallTokenizer.Create().ToJson());
        File.WriteAllText(folder["a.smi"], "CCO\nCCF\nCC.O\nCF.O.N\nCCI\n");
        PreparationOptions options = new()
        {
            Files = [folder["a.smi"]],
            Output = folder["store"],
            TokenizerFile = folder["t.json"],
            ValidationFraction = 0,
            Fragments = FragmentRule.All,
        };
        (string, long)[] counts = [.. MoleculePreparation.Run(options).Changed.Select(c => (c.Reason.Split(',', ':')[0], c.Count))];
        Assert.That(counts, Is.EqualTo(((string, long)[])[("symbols that the tokenizer has not", 3), ("fragments are separated by a dot", 2)]));
        options = options with { Fragments = FragmentRule.Largest, Overwrite = true };
        counts = [.. MoleculePreparation.Run(options).Changed.Select(c => (c.Reason.Split(',', ':')[0], c.Count))];
        Assert.That(counts, Is.EqualTo(((string, long)[])[("symbols that the tokenizer has not", 3), ("several fragments", 2)]));
    }

    // Whether RDKit's canonical SMILES of the molecule and of what its SELFIES decode to differ: two rings that close at one centre may change its hand.
    [TestCase("C[C@H](N)C(=O)O", false), TestCase("N[C@@]12CCC[C@H]1CCC2", false), TestCase("[C@]12(CCC[C@@H]2CCC1)N", true), TestCase("[C@H]12C[C@@H](CC2)CC1", true)]
    [TestCase("[C@]12(N)[C@H](CCC2)CCC1", true), TestCase("F/C=C/F", false), TestCase("C/C=C\\C", false)]
    public void Hands_and_sides_that_the_grammar_changes_are_counted(string smiles, bool changed)
    {
        PreparationReport report = Prepare("a.smi", smiles + "\n", keepStereo: true);
        Assert.That((report.Molecules, report.Changed.Sum(c => c.Count)), Is.EqualTo((1L, changed ? 1L : 0L)));
    }

    [Test]
    public void A_small_file_that_unpacks_without_end_is_refused()
    {
        File.WriteAllBytes(folder["a.smi.gz"], Corpus.Gzip(new byte[200_000_000].Select(_ => (byte)'C').ToArray()));
        Assert.That(() => MoleculePreparation.Run(new PreparationOptions { Files = [folder["a.smi.gz"]], Output = folder["store"] }),
            Refused.With("a.smi.gz: more than", "CHEMSCALE_READ_MEMORY"));
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    private PreparationReport Prepare(string name, string text, MoleculeKind kind = MoleculeKind.Smiles, bool keepStereo = false)
    {
        File.WriteAllText(folder[name], text);
        return MoleculePreparation.Run(new PreparationOptions { Files = [folder[name]], Kind = kind, Output = folder["store"], ValidationFraction = 0, Threads = 2, KeepStereo = keepStereo });
    }
}
