using System.Globalization;
using System.Text;

namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>Keys and values of a frame's second line, read as what is asked for.</summary>
/// <param name="place">File and line.</param>
/// <param name="line">The line.</param>
internal sealed class FrameInfo(string place, string line)
{
    private static readonly char[] Separators = [' ', '\t', ',', '[', ']', '{', '}'];

    private readonly Dictionary<string, string> pairs = Split(line, place);

    /// <summary>In exactly this writing.</summary>
    public bool Has(string key) => pairs.ContainsKey(key);

    public string? Text(string key) => pairs.GetValueOrDefault(key);

    /// <summary>How the file writes this key: as it is given, else in other letters of the same alphabet; null where it has none.</summary>
    /// <exception cref="InputException">In two ways, with two values.</exception>
    public string? Spelling(string key)
    {
        string? found = null;
        foreach (string other in pairs.Keys.Where(k => k.Equals(key, StringComparison.OrdinalIgnoreCase)))
        {
            if (found is not null && pairs[found] != pairs[other]) throw new InputException($"{place}: {other}", $"beside {found}, with another value", "one of them");
            found = found == key ? found : other;
        }
        return found;
    }

    /// <summary>Keys of single numbers whose names hold this word.</summary>
    public IEnumerable<string> NumbersNamed(string word) => pairs.Where(pair =>
        pair.Key.Contains(word, StringComparison.OrdinalIgnoreCase) && TryNumber(pair.Value, out _)).Select(pair => pair.Key);

    /// <summary>All of the line.</summary>
    public IEnumerable<(string Key, string Value)> Texts => pairs.Select(pair => (pair.Key, pair.Value));

    /// <exception cref="InputException">Not numbers.</exception>
    public double[]? Numbers(string key)
    {
        if (!pairs.TryGetValue(key, out string? text)) return null;
        string[] words = text.Replace("_JSON", "").Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        double[] numbers = new double[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            if (!TryNumber(words[i], out numbers[i])) throw Wrong(key, text, "numbers");
        }
        return numbers;
    }

    /// <exception cref="InputException">Not one number.</exception>
    public double? Number(string key)
    {
        if (Numbers(key) is not { } numbers) return null;
        return numbers.Length == 1 ? numbers[0] : throw Wrong(key, pairs[key], "one number");
    }

    /// <summary>The same in any case of letters.</summary>
    /// <inheritdoc cref="Number"/>
    public double? NumberSpelt(string key) => Spelling(key) is { } spelt ? Number(spelt) : null;

    /// <exception cref="InputException">Not three truth values.</exception>
    public bool[]? Flags(string key)
    {
        if (!pairs.TryGetValue(key, out string? text)) return null;
        string[] words = text.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 1) words = [words[0], words[0], words[0]];
        if (words.Length != 3) throw Wrong(key, text, "three of T and F");
        return [.. words.Select(word => Truth(word) ?? throw Wrong(key, text, "three of T and F"))];
    }

    /// <summary>Where a key stands.</summary>
    public string At(string key) => $"{place}: {key}";

    public InputException Wrong(string key, string found, string expected) => new(At(key), $"'{found}'", expected);

    /// <summary>A number as C, Python or Fortran write it.</summary>
    public static bool TryNumber(ReadOnlySpan<char> word, out double number)
    {
        if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return true;
        if (word.TrimStart("+-").Equals("inf", StringComparison.OrdinalIgnoreCase))
        {
            number = word[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }
        return word.IndexOfAny('d', 'D') > 0
            && double.TryParse(Exponent(word), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    public static bool? Truth(ReadOnlySpan<char> word) => word switch
    {
        "T" or "True" or "TRUE" or "true" or ".true." or ".TRUE." or "1" => true,
        "F" or "False" or "FALSE" or "false" or ".false." or ".FALSE." or "0" => false,
        _ => null,
    };

    private static string Exponent(ReadOnlySpan<char> fortran) => fortran.ToString().Replace('d', 'e').Replace('D', 'e');

    /// <summary>The line of a plain xyz file may be any prose.</summary>
    private static Dictionary<string, string> Split(string line, string place)
    {
        try
        {
            return InfoTokenizer.Split(line, place);
        }
        catch (InputException) when (
            !line.Contains("Properties", StringComparison.Ordinal) && !line.Contains("Lattice", StringComparison.Ordinal))
        {
            return [];
        }
    }
}

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
            string value = "T";
            if (at < line.Length && line[at] == '=')
            {
                at++;
                SkipBlanks(line, ref at);
                value = NextWord(line, ref at, place) ?? "";
            }
            // Of two, which would count?
            if (!pairs.TryAdd(key, value) && pairs[key] != value) throw new InputException($"{place}: {key}", $"'{pairs[key]}' and '{value}'", "each key once");
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
