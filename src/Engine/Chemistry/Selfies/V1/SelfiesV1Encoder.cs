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
