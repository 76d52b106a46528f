using ChemScale.Engine;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Selfies;

[TestFixture]
public class ConstraintTests
{
    private static readonly string[] Changed = ["C+1]", "P+1]", "P-1]", "S+1]"];

    // Values by hand from the table of the package selfies 2.2.0: C+1 3, P+1 4, P-1 6, S+1 5 bonds where 2.1 has 5, 6, 4, 7.
    [TestCase("[C+1]", 5, 3)]
    [TestCase("[P+1]", 6, 4)]
    [TestCase("[P-1]", 4, 6)]
    [TestCase("[S+1]", 7, 5)]
    [TestCase("[N+1]", 4, 4)]
    [TestCase("[C]", 4, 4)]
    [TestCase("[B-1]", 4, 4)]
    public void Grammar_22_gives_four_ions_other_bonds(string symbol, int bonds21, int bonds22)
    {
        string branches = symbol + string.Concat(Enumerable.Repeat("[Branch1][F][F]", 8)) + "[F]"; // [F] is 0 as a number, and an atom where no branch is left
        Assert.Multiple(() =>
        {
            Assert.That(Decoded(SelfiesGrammar.V2, branches).Count(c => c == 'F'), Is.EqualTo(bonds21));
            Assert.That(Decoded(SelfiesGrammar.V22, branches).Count(c => c == 'F'), Is.EqualTo(bonds22));
        });
    }

    [Test]
    public void Hexafluorophosphate_is_a_molecule_of_22_and_none_of_21()
    {
        const string Smiles = "F[P-](F)(F)(F)(F)F";
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V22);
        Assert.That(codec.TryEncode(Smiles, out ReadOnlySpan<char> selfies), Is.True);
        Assert.That(codec.TryDecode(selfies.ToString(), out ReadOnlySpan<char> decoded), Is.True);
        Assert.That(decoded.ToString(), Is.EqualTo("F[P-1](F)(F)(F)(F)F"));
        Assert.That(SelfiesCodec.Create(SelfiesGrammar.V2).TryEncode(Smiles, out _), Is.False);
    }

    [Test]
    [Category("Data")]
    public void What_holds_none_of_the_four_decodes_as_in_21()
    {
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V22);
        int other = 0, differ = 0, lines = 0;
        foreach (string line in DataLines.Of(ReferenceData.Require("selfies/selfies_random_v2.1.1.tsv.gz")))
        {
            string[] fields = line.Split('\t');
            string decoded = codec.TryDecode(fields[0], out ReadOnlySpan<char> smiles) ? smiles.ToString() : "!ERROR";
            lines++;
            if (decoded == fields[1]) continue;
            differ++;
            if (!Changed.Any(fields[0].Contains)) other++;
        }
        Assert.That(other, Is.Zero);
        Expect.Close((double)differ / lines, 0.17, absolute: 0.05);
    }

    [TestCase(SelfiesGrammar.V1, "[C][Branch1_1][F][F][Branch1_1][F][F][F]", "C(F)(F)F", "C(F)F")]
    [TestCase(SelfiesGrammar.V2, "[C][Branch1][F][F][Branch1][F][F][F]", "C(F)(F)F", "C(F)F")]
    public void Given_constraints_take_the_place_of_the_grammars(SelfiesGrammar grammar, string selfies, string usual, string bound)
    {
        var constraints = BondConstraints.Parse("""{"C": 2, "F": 1, "?": 8}""", "test");
        Assert.That(Decoded(grammar, selfies), Is.EqualTo(usual));
        Assert.That(Decoded(grammar, selfies, constraints), Is.EqualTo(bound));
    }

    [TestCase("""{"C": 4}""", "'?'")]
    [TestCase("""{"Q": 4, "?": 8}""", "Q")]
    [TestCase("""{"C": -1, "?": 8}""", "C")]
    [TestCase("""{"C": "4", "?": 8}""", "C")]
    [TestCase("""{"C+0": 4, "?": 8}""", "C+0")]
    [TestCase("""["C"]""", "object")]
    [TestCase("C: 4", "JSON")]
    public void Constraints_that_are_none_are_refused_by_key(string json, string named) =>
        Assert.That(() => BondConstraints.Parse(json, "bonds.json"), Throws.TypeOf<InputException>().With.Message.Contains(named).And.Message.Contains("bonds.json"));

    [Test]
    public void A_tokenizer_keeps_grammar_and_constraints_in_its_file()
    {
        var constraints = BondConstraints.Parse("""{"C": 4, "Fe+2": 6, "?": 8}""", "test");
        string json = TokenizerWriter.Symbols(["[C]", "[Branch1]"], SelfiesGrammar.V22);
        Tokenizer kept = Tokenizer.Parse(Tokenizer.Parse(json, "a").With(null, constraints).ToJson(), "b");
        Assert.That((kept.Grammar, kept.Constraints), Is.EqualTo((SelfiesGrammar.V22, constraints)));
        Assert.That(kept.Constraints.Of(26, 2), Is.EqualTo(6));
        Assert.That(Tokenizer.Parse(json, "a").Constraints, Is.EqualTo(BondConstraints.Selfies22));
        Assert.That(() => kept.With(SelfiesGrammar.V2), Throws.TypeOf<InputException>());
    }

    private static string Decoded(SelfiesGrammar grammar, string selfies, BondConstraints? constraints = null)
    {
        SelfiesCodec codec = SelfiesCodec.Create(grammar, constraints);
        return codec.TryDecode(selfies, out ReadOnlySpan<char> smiles) ? smiles.ToString() : codec.Reason;
    }
}
