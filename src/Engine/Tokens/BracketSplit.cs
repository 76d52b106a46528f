namespace ChemScale.Engine.Tokens;

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
