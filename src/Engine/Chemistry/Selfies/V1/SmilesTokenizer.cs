using System.Globalization;
using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>Cuts one fragment of a SMILES string (no dots) into tokens, in an array that is kept between uses.</summary>
internal sealed class SmilesTokenizer
{
    private SmilesToken[] tokens = new SmilesToken[256];
    private int count;

    /// <summary>Tokens up to an unmatched closing parenthesis, where this grammar stops without complaint.</summary>
    public Span<SmilesToken> Tokens => tokens.AsSpan(0, count);

    /// <summary>Null, or why the fragment is refused.</summary>
    /// <param name="fragment">SMILES without dots.</param>
    /// <param name="readAll">Whether text after an unmatched closing parenthesis has to be sound; it is dropped either way.</param>
    public string? Read(ReadOnlySpan<char> fragment, bool readAll)
    {
        int length = 0, depth = 0, kept = -1;
        for (int i = 0; i < fragment.Length;)
        {
            if (length == tokens.Length) Array.Resize(ref tokens, 2 * length);
            ref SmilesToken token = ref tokens[length];
            token = default;
            char c = fragment[i];
            if (IsBond(c))
            {
                token.Bond = c;
                if (++i == fragment.Length) return Refusals.DanglingBond;
                c = fragment[i];
            }
            token.Start = i;
            token.Length = 1;
            if (char.IsAsciiLetter(c))
            {
                if (i + 1 < fragment.Length && IsSecondLetter(c, fragment[i + 1])) token.Length = 2;
            }
            else if (c is '(' or ')')
            {
                token.Kind = c == '(' ? TokenKind.BranchOpen : TokenKind.BranchClose;
                token.Bond = i + 1 < fragment.Length ? fragment[i + 1] : '\0';
                depth += c == '(' ? 1 : -1;
                if (depth < 0 && kept < 0)
                {
                    kept = length;
                    if (!readAll) break;
                }
            }
            else if (c == '[')
            {
                token.Length = fragment[i..].IndexOf(']') + 1;
                if (token.Length == 0) return Refusals.UnclosedBracket;
                if (HasOtherChirality(fragment.Slice(i, token.Length))) return Refusals.Chirality;
            }
            else if (char.IsAsciiDigit(c))
            {
                token.Kind = TokenKind.Ring;
                token.Value = c - '0';
            }
            else if (c == '%')
            {
                token.Kind = TokenKind.Ring;
                token.Start = i + 1;
                token.Length = Math.Min(2, fragment.Length - token.Start);
                if (!TryReadLabel(fragment.Slice(token.Start, token.Length), out token.Value) && kept < 0) return Refusals.RingLabel;
                i = Math.Min(i + 3, fragment.Length);
                length++;
                continue;
            }
            else if (!char.IsLetter(c)) return Refusals.UnknownCharacter;
            i += token.Length;
            length++;
        }
        count = kept < 0 ? length : kept;
        return null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBond(char c) => c is '-' or '/' or '\\' or '=' or '#' or ':';

    private static bool IsSecondLetter(char first, char second) => first == 'C' && second == 'l' || first == 'B' && second == 'r';

    private static bool HasOtherChirality(ReadOnlySpan<char> atom)
    {
        int mark = atom.IndexOf('@');
        return mark >= 0 && atom[mark + 1] != 'H' && char.IsLetter(atom[mark + 1]);
    }

    /// <summary>As the reference reads it: white space around and a sign before the digits pass.</summary>
    private static bool TryReadLabel(ReadOnlySpan<char> text, out int label) =>
        int.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out label);
}

internal enum TokenKind : byte
{
    Atom,
    BranchOpen,
    BranchClose,
    Ring,

    /// <summary>The opening end of a ring, once its closing end is known: writes nothing.</summary>
    RingOpen,
}

/// <summary>A piece of a SMILES string: an atom, a branch parenthesis or a ring label, with the bond symbol before it.</summary>
internal struct SmilesToken
{
    /// <summary>Slice of the SMILES: the atom or ring label without its bond symbol.</summary>
    public int Start;
    public int Length;

    /// <summary>
    /// Ring label as read; then, for an opening label, its atom; for a closing one, the number of atoms between the ends; for an
    /// opening parenthesis, one less than the number of symbols in the branch.
    /// </summary>
    public int Value;

    public TokenKind Kind;

    /// <summary><c>'\0'</c> where there is none; for a parenthesis, the character after it, as this grammar has it.</summary>
    public char Bond;

    /// <summary>An atom written in lower case that kekulization has made an ordinary one.</summary>
    public bool Capitalized;
}

/// <summary>
/// What grammar 1.0.4, with its default constraints, refuses. The reference recurses once per branch level and per step of its search for a Kekule
/// structure, and gives up at its interpreter's depth; here too both are refused beyond <see cref="MaximumDepth"/>. Refused as well
/// is what the reference never finishes (an empty branch, a ring that closes on its own atom) and, in a fragment that may be aromatic,
/// a ring label before the first atom. Only ASCII digits count as digits.
/// </summary>
internal static class Refusals
{
    /// <summary>Levels of nesting: the reference's interpreter stops at 1,000 frames, of which its callers take a few.</summary>
    public const int MaximumDepth = 990;

    public const string Wildcard = "wildcard atom '*'";
    public const string UnclosedBracket = "bracket atom without ']'";
    public const string Chirality = "chirality other than @ and @@";
    public const string UnknownCharacter = "unknown character";
    public const string DanglingBond = "bond symbol at the end";
    public const string RingLabel = "ring label that is not a number";
    public const string OpenRing = "ring opened and not closed in the same fragment";
    public const string BackwardRing = "ring that does not close on a later atom of its chain";
    public const string EarlyRing = "ring label before the first atom";
    public const string EmptyBranch = "empty branch";
    public const string AromaticSymbol = "aromatic symbol not recognized";
    public const string Kekulization = "no Kekule structure found";
    public const string Depth = "nested too deeply";
    public const string Brackets = "misplaced or missing bracket";
    public const string Symbol = "symbol that cannot be read";
    public const string Hydrogens = "more hydrogens than the atom has bonds";
}
