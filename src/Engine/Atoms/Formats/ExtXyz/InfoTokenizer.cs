using System.Text;

namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>
/// Splits the second line of an extended xyz frame into keys and values: <c>key=value</c>, blanks around the sign allowed, values bare
/// or between quotes of either kind, braces or (nested) brackets, a backslash before a character that stands for itself. A key alone
/// is true.
/// </summary>
internal static class InfoTokenizer
{
    public static Dictionary<string, string> Split(string line, string place)
    {
        Dictionary<string, string> pairs = new(StringComparer.Ordinal);
        int at = 0;
        while (NextWord(line, ref at, place) is { } key)
        {
            SkipBlanks(line, ref at);
            if (at < line.Length && line[at] == '=')
            {
                at++;
                SkipBlanks(line, ref at);
                pairs[key] = NextWord(line, ref at, place) ?? "";
            }
            else
            {
                pairs[key] = "T";
            }
        }
        return pairs;
    }

    private static string? NextWord(string line, ref int at, string place)
    {
        SkipBlanks(line, ref at);
        if (at == line.Length) return null;
        StringBuilder word = new();
        for (; at < line.Length && !char.IsWhiteSpace(line[at]) && line[at] != '='; at++)
        {
            if (line[at] == '\\' && at + 1 < line.Length) word.Append(line[++at]);
            else if (line[at] is '"' or '\'') Quoted(line, ref at, word, place);
            else if (line[at] is '{' or '[') Bracketed(line, ref at, word, place);
            else word.Append(line[at]);
        }
        if (word.Length == 0 && at < line.Length && line[at] == '=') throw new InputException(place, "'=' without a key", "key=value");
        return word.ToString();
    }

    private static void Quoted(string line, ref int at, StringBuilder word, string place)
    {
        char quote = line[at];
        for (at++; at < line.Length && line[at] != quote; at++)
        {
            if (line[at] == '\\' && at + 1 < line.Length) at++;
            word.Append(line[at]);
        }
        if (at == line.Length) throw new InputException(place, $"a {quote} that is not closed", $"another {quote}");
    }

    private static void Bracketed(string line, ref int at, StringBuilder word, string place)
    {
        int depth = 0, start = at;
        for (; at < line.Length; at++)
        {
            if (line[at] is '{' or '[') depth++;
            else if (line[at] is '}' or ']') depth--;
            if (depth == 0) break;
        }
        if (depth > 0) throw new InputException(place, $"a {line[start]} that is not closed", "matching brackets");
        word.Append(line, start + 1, at - start - 1);
    }

    private static void SkipBlanks(string line, ref int at)
    {
        while (at < line.Length && char.IsWhiteSpace(line[at])) at++;
    }
}
