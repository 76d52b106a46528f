namespace ChemScale.Engine.Chemistry.Selfies.V1;

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
                    if (branches.Count > SelfiesV1Codec.MaximumDepth) return Refusals.Depth;
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
