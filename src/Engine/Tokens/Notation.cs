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

/// <summary>The split at <c>\[(.*?)\]</c>, isolated: every match is a piece, and so is every stretch between matches.</summary>
internal static class BracketSplit
{
    /// <summary>The regular expression in a tokenizer file.</summary>
    public const string Pattern = @"\[(.*?)\]";

    /// <summary>Length of the plain bracket symbol that starts the text: no bracket or line feed inside; 0 where there is none.</summary>
    public static int SymbolLength(ReadOnlySpan<char> text)
    {
        if (text.Length == 0 || text[0] != '[') return 0;
        for (int i = 1; i < text.Length; i++)
        {
            char c = text[i];
            if (c == ']') return i + 1;
            if (c is '[' or '\n') return 0;
        }
        return 0;
    }

    /// <summary>Length of the first piece of a text that is not empty. The dot of the pattern matches anything but a line feed.</summary>
    public static int NextPiece(ReadOnlySpan<char> text)
    {
        for (int start = 0; start < text.Length; start++)
        {
            if (text[start] != '[') continue;
            int end = text[start..].IndexOfAny(']', '\n');
            if (end < 0) break;
            if (text[start + end] == ']') return start > 0 ? start : end + 1;
            start += end;
        }
        return text.Length;
    }
}

/// <summary>
/// The split of SMILES into atoms, bonds, parentheses and ring labels, isolated: what stands in brackets, the elements of two letters, labels of two
/// digits or more, else a character. As Schwaller et al. 2019 (arXiv 1811.02633) split, labels such as %(123) aside, which they leave in pieces.
/// </summary>
internal static class AtomSplit
{
    /// <summary>The regular expression in a tokenizer file.</summary>
    public const string Pattern = @"(\[[^\]]+\]|Br|Cl|%[0-9]{2}|%\([0-9]+\)|.)";

    /// <summary>Length of the first piece of a text that is not empty. The dot of the pattern matches any scalar value but a line feed.</summary>
    public static int NextPiece(ReadOnlySpan<char> text)
    {
        switch (text[0])
        {
            case '[':
                int end = text.IndexOf(']');
                return end > 1 ? end + 1 : 1;
            case 'B':
                return text.Length > 1 && text[1] == 'r' ? 2 : 1;
            case 'C':
                return text.Length > 1 && text[1] == 'l' ? 2 : 1;
            case '%':
                return LabelLength(text);
            case '\n':
                int other = text.IndexOfAnyExcept('\n');
                return other < 0 ? text.Length : other;
            default:
                return text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
        }
    }

    /// <summary>As <see cref="NextPiece"/>; 0 where an added token in brackets might begin within the piece, or it is none that SMILES have.</summary>
    public static int PlainLength(ReadOnlySpan<char> text)
    {
        char c = text[0];
        if (c == '[') return BracketSplit.SymbolLength(text) is > 2 and var length ? length : 0;
        return c > ' ' && c < 127 ? NextPiece(text) : 0;
    }

    private static int LabelLength(ReadOnlySpan<char> text)
    {
        if (text.Length > 2 && char.IsAsciiDigit(text[1]) && char.IsAsciiDigit(text[2])) return 3;
        if (text.Length < 4 || text[1] != '(') return 1;
        int digits = text[2..].IndexOfAnyExceptInRange('0', '9');
        return digits > 0 && text[2 + digits] == ')' ? digits + 3 : 1;
    }
}
