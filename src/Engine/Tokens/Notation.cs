using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens;

/// <summary>What a language model reads and writes molecules as.</summary>
public enum Representation
{
    /// <summary>SELFIES (Krenn et al. 2020, arXiv 1905.13741): a token is a symbol in brackets.</summary>
    Selfies,

    /// <summary>SMILES, a token an atom, a bond, a parenthesis or a ring label (Schwaller et al. 2019, arXiv 1811.02633).</summary>
    Smiles,
}

/// <summary>How the molecules of a corpus are written: what a tokenizer.json keeps under <c>pre_tokenizer.chemscale</c>.</summary>
/// <param name="Representation">Of the tokens.</param>
/// <param name="Grammar">Of SELFIES.</param>
/// <param name="Constraints">How many bonds atoms may make in SELFIES; null: what the grammar has.</param>
/// <param name="Canonical">One way for each molecule; false: as each was given.</param>
internal sealed record Notation(Representation Representation, SelfiesGrammar Grammar = SelfiesGrammar.V1, BondConstraints? Constraints = null, bool Canonical = false)
{
    public bool IsSmiles => Representation == Representation.Smiles;

    /// <summary>For people.</summary>
    public string Name => IsSmiles ? "SMILES" : $"SELFIES {Grammar.Name()}";

    /// <summary>SELFIES as they are given.</summary>
    public static implicit operator Notation(SelfiesGrammar grammar) => new(Representation.Selfies, grammar);

    /// <summary>From and to SMILES; null where the tokens are those of SMILES.</summary>
    public SelfiesCodec? CreateCodec() => IsSmiles ? null : SelfiesCodec.Create(Grammar, Constraints);

    /// <summary>Length of the first piece of a text that is not empty: every piece of a molecule is one token.</summary>
    public static int NextPiece(Representation representation, ReadOnlySpan<char> text) =>
        representation == Representation.Smiles ? AtomSplit.NextPiece(text) : BracketSplit.NextPiece(text);
}
