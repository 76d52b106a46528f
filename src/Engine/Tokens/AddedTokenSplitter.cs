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
