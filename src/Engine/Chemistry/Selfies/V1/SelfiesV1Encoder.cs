using System.Buffers;

namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// SMILES text to SELFIES, symbol for symbol in the order of the text; branches and rings turn into symbols that count what they span.
/// </summary>
internal sealed class SelfiesV1Encoder
{
    /// <summary>A fragment with any of these is read as a graph, aromatic or not: the reference looks no closer.</summary>
    private static readonly SearchValues<char> PossiblyAromatic = SearchValues.Create("cnopas");

    private readonly SmilesTokenizer tokenizer = new();
    private readonly Kekulizer kekulizer = new();
    private readonly SpanCounter counter = new();
    private readonly TextBuffer text = new();

    /// <summary>The SELFIES of the last call that was not refused.</summary>
    public ReadOnlySpan<char> Text => text.Text;

    /// <summary>Null, or why the SMILES is refused.</summary>
    public string? Encode(ReadOnlySpan<char> smiles)
    {
        text.Clear();
        if (smiles.Contains('*')) return Refusals.Wildcard;
        for (int dot; (dot = smiles.IndexOf('.')) >= 0; smiles = smiles[(dot + 1)..])
        {
            string? refusal = EncodeFragment(smiles[..dot]);
            if (refusal is not null) return refusal;
            text.Append('.');
        }
        return EncodeFragment(smiles);
    }

    private string? EncodeFragment(ReadOnlySpan<char> fragment)
    {
        bool aromatic = fragment.ContainsAny(PossiblyAromatic);
        string? refusal = tokenizer.Read(fragment, aromatic);
        if (refusal is not null) return refusal;
        Span<SmilesToken> tokens = tokenizer.Tokens;
        if (aromatic) refusal = kekulizer.Kekulize(fragment, tokens);
        refusal ??= counter.Count(tokens);
        if (refusal is null) Write(fragment, tokens);
        return refusal;
    }

    private void Write(ReadOnlySpan<char> fragment, ReadOnlySpan<SmilesToken> tokens)
    {
        foreach (ref readonly SmilesToken token in tokens)
        {
            switch (token.Kind)
            {
                case TokenKind.Atom:
                    WriteAtom(fragment.Slice(token.Start, token.Length), token);
                    break;
                case TokenKind.BranchOpen:
                    text.Append("[Branch");
                    WriteCount(token.Value, '_', (char)('0' + BondOrder.Of(token.Bond)));
                    break;
                case TokenKind.Ring:
                    text.Append(token.Bond == '\0' ? "[" : "[Expl");
                    if (token.Bond != '\0') text.Append(token.Bond);
                    text.Append("Ring");
                    WriteCount(token.Value, '\0', '\0');
                    break;
            }
        }
    }

    private void WriteAtom(ReadOnlySpan<char> atom, in SmilesToken token)
    {
        text.Append('[');
        if (token.Bond != '\0') text.Append(token.Bond);
        if (atom[0] != '[')
        {
            text.Append(token.Capitalized ? char.ToUpperInvariant(atom[0]) : atom[0]);
            if (atom.Length > 1) text.Append(atom[1]);
            text.Append(']');
            return;
        }
        int element = 1;
        if (token.Capitalized)
        {
            while (char.IsAsciiDigit(atom[element])) element++;
            text.Append(atom[1..element]);
            text.Append(char.ToUpperInvariant(atom[element++]));
        }
        text.Append(atom[element..^1]);
        text.Append("expl]");
    }

    /// <summary>The end of a branch or ring symbol, and the number after it.</summary>
    private void WriteCount(int count, char separator, char bond)
    {
        int length = IndexAlphabet.Length(count);
        text.Append((char)('0' + length));
        if (separator != '\0')
        {
            text.Append(separator);
            text.Append(bond);
        }
        text.Append(']');
        IndexAlphabet.Write(count, length, text);
    }
}

/// <summary>Counts what the branch and ring symbols of a fragment span: symbols of a branch, atoms between the ends of a ring.</summary>
internal sealed class SpanCounter
{
    private const int Closed = -1;
    private const int LeastLabel = -9; // a sign and a digit read as a number
    private const int Labels = 109;

    private readonly Stack<(int Token, int Symbols, int Atom)> branches = [];
    private readonly int[] rings = new int[Labels]; // label -> token that opened it
    private int openRings;

    /// <summary>Null, or why the fragment is refused; the counts are written into the tokens.</summary>
    public string? Count(Span<SmilesToken> tokens)
    {
        branches.Clear();
        rings.AsSpan().Fill(Closed);
        openRings = 0;
        int atoms = 0, symbols = 0, atom = -1;
        for (int i = 0; i < tokens.Length; i++)
        {
            ref SmilesToken token = ref tokens[i];
            if (token.Bond == '-') token.Bond = '\0';
            switch (token.Kind)
            {
                case TokenKind.Atom:
                    atom = atoms++;
                    symbols++;
                    break;
                case TokenKind.BranchOpen:
                    branches.Push((i, symbols, atom));
                    if (branches.Count > Refusals.MaximumDepth) return Refusals.Depth;
                    symbols = 0;
                    atom = -1;
                    break;
                case TokenKind.BranchClose:
                    if (!TryCloseBranch(tokens, ref symbols, out atom)) return Refusals.EmptyBranch;
                    break;
                default:
                    if (!TryCountRing(tokens, i, atom, ref symbols)) return Refusals.BackwardRing;
                    break;
            }
        }
        while (branches.Count > 0)
            if (!TryCloseBranch(tokens, ref symbols, out _)) return Refusals.EmptyBranch;
        return openRings > 0 ? Refusals.OpenRing : null;
    }

    private bool TryCloseBranch(Span<SmilesToken> tokens, ref int symbols, out int atom)
    {
        (int open, int before, atom) = branches.Pop();
        if (symbols == 0) return false;
        tokens[open].Value = symbols - 1;
        symbols += before + 1 + IndexAlphabet.Length(symbols - 1);
        return true;
    }

    private bool TryCountRing(Span<SmilesToken> tokens, int index, int atom, ref int symbols)
    {
        ref SmilesToken token = ref tokens[index];
        ref int opener = ref rings[token.Value - LeastLabel];
        if (opener == Closed)
        {
            opener = index;
            token.Kind = TokenKind.RingOpen;
            token.Value = atom;
            openRings++;
            return true;
        }
        ref SmilesToken left = ref tokens[opener];
        opener = Closed;
        openRings--;
        if (left.Bond != '\0') token.Bond = left.Bond;
        token.Value = atom - left.Value - 1;
        if (token.Value < 0) return false;
        symbols += 1 + IndexAlphabet.Length(token.Value);
        return true;
    }
}
