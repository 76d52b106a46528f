namespace ChemScale.Engine.Tokens;

/// <summary>Cuts added tokens out of a text: the leftmost match, and of those the longest.</summary>
internal sealed class AddedTokenSplitter(IEnumerable<AddedToken> tokens, Func<string, string> normalize)
{
    private readonly (int Id, string Text)[] tokens =
        [.. tokens.Select(token => ((int)token.Id, normalize(token.Text))).Where(token => token.Item2.Length > 0)];

    /// <summary>The text in order: an id and its text, or -1 and the text between.</summary>
    public IEnumerable<(int Id, string Text)> Split(string text)
    {
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            (int id, int length) = Longest(text, at);
            if (length == 0)
            {
                at++;
                continue;
            }
            if (at > done) yield return (-1, text[done..at]);
            yield return (id, text.Substring(at, length));
            done = at += length;
        }
        if (done < text.Length) yield return (-1, text[done..]);
    }

    private (int Id, int Length) Longest(string text, int at)
    {
        (int Id, int Length) best = (-1, 0);
        foreach ((int id, string token) in tokens)
        {
            if (token.Length > best.Length && text.AsSpan(at).StartsWith(token, StringComparison.Ordinal)) best = (id, token.Length);
        }
        return best;
    }
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
