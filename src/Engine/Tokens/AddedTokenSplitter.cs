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
