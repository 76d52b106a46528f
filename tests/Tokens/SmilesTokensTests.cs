using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Tests.Chemistry;
using ChemScale.Tests.Cli;
using ChemScale.Tests.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens;

/// <summary>SMILES as tokens: where they are split, and what the tokenizer's file says.</summary>
public partial class SmilesTokensTests
{
    private static readonly string[] Symbols =
        ["C", "c", "1", "2", "(", ")", "=", "O", "N", "n", "[nH]", "[C@@H]", "[C@H]", "Br", "Cl", "/", "\\", "%10", "%(123)", ".", "#", "[O-]", "[N+]", "F"];

    [TestCase("CCO", "C C O")]
    [TestCase("BrC(Cl)=O", "Br C ( Cl ) = O")]
    [TestCase("BClrB", "B Cl r B")]
    [TestCase("N[C@@H](C)C(=O)[O-]", "N [C@@H] ( C ) C ( = O ) [O-]")]
    [TestCase("C%12CC%(123)C%1", "C %12 C C %(123) C % 1")]
    [TestCase("%(", "% (")]
    [TestCase("%()1", "% ( ) 1")]
    [TestCase("%(12", "% ( 1 2")]
    [TestCase("F/C=C\\F", "F / C = C \\ F")]
    [TestCase("[13CH4].[Na+]", "[13CH4] . [Na+]")]
    [TestCase("[]C[", "[ ] C [")]
    [TestCase("[[nH]]", "[[nH] ]")]
    [TestCase("c1ccccc1", "c 1 c c c c c 1")]
    [TestCase("C\n\nC", "C \n\n C")]
    [TestCase("C\ud83d\ude00N", "C \ud83d\ude00 N")]
    public void A_text_is_split_into_atoms_bonds_and_labels(string text, string pieces) =>
        Assert.That(Pieces(text), Is.EqualTo(pieces.Split(' ')));

    [Test]
    public void The_split_is_that_of_the_regular_expression_in_the_file()
    {
        var random = new Random(5);
        const string letters = "[[]]]()CBclr%1230@H+-=.#/\\nosNO\n x";
        for (int trial = 0; trial < 20_000; trial++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => letters[random.Next(letters.Length)]));
            Assert.That(Pieces(text), Is.EqualTo(Isolated(text)), text);
        }
    }

    [Test]
    [Category("Data")]
    public void Python_splits_the_molecules_of_two_corpora_alike()
    {
        using TemporaryFolder folder = new();
        string[] lines = [.. Lines("smiles/moses.smi.gz").Concat(Lines("smiles/pubchem.smi.gz"))];
        File.WriteAllLines(folder["lines.smi"], lines);
        Outcome outcome = Python.Run("re",
            "import re, sys\np = re.compile(sys.argv[1])\nfor l in open(sys.argv[2]):\n    l = l.rstrip('\\n'); t = p.findall(l); assert ''.join(t) == l; print(*t)",
            AtomSplit.Pattern, folder["lines.smi"]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output.TrimEnd('\n').Split('\n'), Is.EqualTo(lines.Select(l => string.Join(' ', Pieces(l)))));
        Expect.Above(lines.Length, 19_000);
    }

    [Test]
    [Category("Data")]
    public void Hugging_Face_gives_the_same_ids_and_the_same_text_back()
    {
        using TemporaryFolder folder = new();
        string[] lines = [.. Lines("smiles/pubchem.smi.gz").Take(3000)];
        Tokenizer tokenizer = Counted([.. lines.Take(500)]);
        tokenizer.Save(folder["tokenizer.json"]);
        File.WriteAllLines(folder["lines.smi"], lines);
        Outcome outcome = Python.Run("tokenizers",
            "import sys\nfrom tokenizers import Tokenizer\nt = Tokenizer.from_file(sys.argv[1])\nu = t.token_to_id('[UNK]')\n"
            + "for l in open(sys.argv[2]):\n    l = l.rstrip('\\n'); i = t.encode(l).ids; assert u in i or t.decode(i) == l; print(*i)",
            folder["tokenizer.json"], folder["lines.smi"]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output.TrimEnd('\n').Split('\n'), Is.EqualTo(lines.Select(l => string.Join(' ', tokenizer.Encode(l)))));
    }

    [Test]
    public void Ids_go_back_to_the_text_and_what_is_unknown_is_one_token()
    {
        Tokenizer tokenizer = Tokenizer.Parse(Json(), "made here");
        foreach (string text in (string[])["CCO", "N[C@@H](C)C(=O)[O-]", "F/C=C\\F", "c1cc[nH]c1", "C%10CC%(123)", "BrCCl.C#N"])
        {
            ushort[] ids = tokenizer.Encode(text);
            Assert.That(ids, Has.Length.EqualTo(Pieces(text).Count + 2), text);
            Assert.That((ids[0], ids[^1]), Is.EqualTo((tokenizer.Vocabulary.Start, tokenizer.Vocabulary.End)));
            Assert.That(tokenizer.Decode(ids), Is.EqualTo(text));
        }
        // An element of two letters, or a bracket, that is not in the vocabulary is not spelled by what is.
        ushort unknown = tokenizer.Vocabulary.Unknown;
        Assert.That(Inside("[SiH4]"), Is.EqualTo(new[] { unknown }));
        Assert.That(Inside("C[13CH3]"), Is.EqualTo(new[] { Id("C"), unknown }));
        Assert.That(Inside("%11"), Is.EqualTo(new[] { unknown }));
        // As Hugging Face has it: an added token is found anywhere.
        Assert.That(Inside("C[SEP]O"), Is.EqualTo(new[] { Id("C"), Id("[SEP]"), Id("O") }));
        Assert.That(Inside("[[SEP]"), Is.EqualTo(new[] { unknown, Id("[SEP]") }));

        ushort[] Inside(string text) => tokenizer.Encode(text)[1..^1];
        ushort Id(string text) => tokenizer.Vocabulary.TryFind(text, out ushort id) ? id : throw new KeyNotFoundException(text);
    }

    [Test]
    public void The_file_says_what_it_is_a_tokenizer_of()
    {
        Tokenizer tokenizer = Tokenizer.Parse(Json(), "made here");
        Assert.That(tokenizer.Representation, Is.EqualTo(Representation.Smiles));
        JsonNode root = JsonNode.Parse(tokenizer.ToJson())!, splitter = root["pre_tokenizer"]!;
        Assert.That(splitter["chemscale"]!.ToJsonString(), Is.EqualTo("""{"representation":"smiles"}"""));
        Assert.That((string)splitter["pattern"]!["Regex"]!, Is.EqualTo(AtomSplit.Pattern));
        Assert.That((string)root["decoder"]!["type"]!, Is.EqualTo("Fuse"));
        Assert.That(() => tokenizer.Grammar, Refused.With("SMILES"));
        Assert.That(() => tokenizer.With(SelfiesGrammar.V2), Refused.With("SMILES"));
        Assert.That(tokenizer.Written(true).ToJson(), Does.Contain("""{"representation":"smiles","writing":"canonical"}"""));
        Assert.That(Tokenizer.Parse(tokenizer.Written(true).ToJson(), "again").Notation.Canonical, Is.True);
        Assert.That(SmallTokenizer.Create().Representation, Is.EqualTo(Representation.Selfies));

        // Without a word of ours, the pattern says it.
        splitter.AsObject().Remove("chemscale");
        Assert.That(Tokenizer.Parse(root.ToJsonString(), "bare").Representation, Is.EqualTo(Representation.Smiles));
    }

    [TestCase("""{"representation":"selfies"}""", "smiles")]
    [TestCase("""{"grammar":"2.1"}""", "representation")]
    [TestCase("""{"representation":"smiles","grammar":"2.1"}""", "grammar")]
    [TestCase("""{"representation":"smiles","writing":"mine"}""", "writing")]
    public void A_file_that_contradicts_itself_is_refused(string stated, string named)
    {
        JsonNode root = JsonNode.Parse(Json())!;
        root["pre_tokenizer"]!["chemscale"] = JsonNode.Parse(stated);
        Assert.That(() => Tokenizer.Parse(root.ToJsonString(), "made here"), Refused.With(named));
    }

    [Test]
    public void A_file_of_SELFIES_does_not_say_SMILES() =>
        Assert.That(
            () => Tokenizer.Parse(SmallTokenizer.With("/pre_tokenizer/chemscale", """{"representation":"smiles","grammar":"1.0.4"}"""), "made here"),
            Refused.With("selfies"));

    private static string Json() => TokenizerWriter.Symbols(Symbols, new Notation(Representation.Smiles));

    private static Tokenizer Counted(string[] lines)
    {
        var counts = new SymbolCounts(Representation.Smiles);
        foreach (string line in lines) counts.Add(line);
        return counts.ToTokenizer(new Notation(Representation.Smiles));
    }

    private static IEnumerable<string> Lines(string file) =>
        DataLines.Of(ReferenceData.Require(file)).Select(l => l.Split(' ', '\t')[0]).Where(l => l.Length > 0).Take(10_000);

    private static List<string> Pieces(string text)
    {
        var pieces = new List<string>();
        for (ReadOnlySpan<char> rest = text; rest.Length > 0;)
        {
            int length = AtomSplit.NextPiece(rest);
            pieces.Add(rest[..length].ToString());
            rest = rest[length..];
        }
        return pieces;
    }

    /// <summary>Matches and what lies between them, by the library's own reading of the pattern.</summary>
    private static List<string> Isolated(string text)
    {
        var pieces = new List<string>();
        int done = 0;
        foreach (Match match in Atoms().Matches(text))
        {
            if (match.Index > done) pieces.Add(text[done..match.Index]);
            pieces.Add(match.Value);
            done = match.Index + match.Length;
        }
        if (done < text.Length) pieces.Add(text[done..]);
        return pieces;
    }

    [GeneratedRegex(AtomSplit.Pattern)]
    private static partial Regex Atoms();
}
