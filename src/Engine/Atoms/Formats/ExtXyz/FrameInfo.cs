using System.Globalization;

namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>Keys and values of a frame's second line, read as what is asked for.</summary>
/// <param name="place">File and line.</param>
/// <param name="line">The line.</param>
internal sealed class FrameInfo(string place, string line)
{
    private static readonly char[] Separators = [' ', '\t', ',', '[', ']', '{', '}'];

    private readonly Dictionary<string, string> _pairs = Split(line, place);

    public bool Has(string key) => _pairs.ContainsKey(key);

    public string? Text(string key) => _pairs.GetValueOrDefault(key);

    /// <exception cref="InputException">Not numbers.</exception>
    public double[]? Numbers(string key)
    {
        if (!_pairs.TryGetValue(key, out string? text)) return null;
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
        return numbers.Length == 1 ? numbers[0] : throw Wrong(key, _pairs[key], "one number");
    }

    /// <exception cref="InputException">Not three truth values.</exception>
    public bool[]? Flags(string key)
    {
        if (!_pairs.TryGetValue(key, out string? text)) return null;
        string[] words = text.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 1) words = [words[0], words[0], words[0]];
        if (words.Length != 3) throw Wrong(key, text, "three of T and F");
        return [.. words.Select(word => Truth(word) ?? throw Wrong(key, text, "three of T and F"))];
    }

    public InputException Wrong(string key, string found, string expected) => new($"{place}: {key}", $"'{found}'", expected);

    /// <summary>A number as C, Python or Fortran write it.</summary>
    public static bool TryNumber(ReadOnlySpan<char> word, out double number)
    {
        if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return true;
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
