using System.Globalization;
using System.Text;

namespace ChemScale.Engine;

/// <summary>
/// A mistake in what the user gave: a file, a key, an option. The command line prints <see cref="Exception.Message"/> as one line
/// on standard error and exits with code 2; no stack trace.
/// </summary>
public class InputException : Exception
{
    /// <param name="place">File, file:line, key or option at fault.</param>
    /// <param name="found">What was there.</param>
    /// <param name="expected">What should have been there; empty when <paramref name="found"/> says it all.</param>
    /// <param name="hint">What to do about it; may be empty.</param>
    public InputException(string place, string found, string expected = "", string hint = "")
        : base(Compose(place, found, expected, hint))
    {
        Place = place;
        Found = found;
        Expected = expected;
        Hint = hint;
    }

    public string Place { get; }

    public string Found { get; }

    public string Expected { get; }

    public string Hint { get; }

    private static string Compose(string place, string found, string expected, string hint)
    {
        string[] parts = OneLine.Shortened(place, found, expected, hint);
        string message = place.Length > 0 ? $"{parts[0]}: {parts[1]}" : parts[1];
        if (expected.Length > 0) message += $"; expected {parts[2]}";
        if (hint.Length > 0) message += $". HINT: {parts[3]}";
        return message;
    }
}

/// <summary>Text of files and of the system in messages: on one line, every character to be seen, none longer than a reader bears.</summary>
public static class OneLine
{
    /// <summary>Of a message; with the program's name, and that it is a warning, before it, a line of 300 at most.</summary>
    public const int MostCharacters = 280;

    // Of what stands in tables: as long as a file's may be.
    private const int LongestName = 255;

    private const double MostPlain = 1e9;

    private const string Cut = "...";

    // What Compose puts between.
    private const int Between = 30;

    /// <summary>The text with control characters written out, cut behind <see cref="MostCharacters"/>.</summary>
    public static string Of(string text) => Kept(Visible(text), MostCharacters, end: false);

    /// <summary>
    /// A number with so many decimals; from <see cref="MostPlain"/> on six significant digits and a power of ten, since what a file says, or a model gone wrong, may have
    /// hundreds before the point. "-" where there is none.
    /// </summary>
    public static string Number(double? value, int decimals) => value is not { } v ? "-"
        : v.ToString(Math.Abs(v) < MostPlain ? string.Create(CultureInfo.InvariantCulture, $"F{decimals}") : "G6", CultureInfo.InvariantCulture);

    /// <summary>A share as <see cref="Number"/> of its percent.</summary>
    public static string Percent(double? share, int decimals) => share is { } s ? Number(100 * s, decimals) + " %" : "-";

    /// <summary>A name that a file gives, for tables: visible, and no longer than that of a file.</summary>
    /// <exception cref="InputException">It is longer.</exception>
    internal static string Name(string text, string place) => text.Length <= LongestName ? Visible(text)
        : throw new InputException(place, string.Create(CultureInfo.InvariantCulture, $"a name of {text.Length} characters, '{text}'"), $"at most {LongestName}");

    /// <summary>The parts of a message, the longest cut as far as all of them fit; of the first, a place, the end is what says where.</summary>
    internal static string[] Shortened(params string[] parts)
    {
        string[] visible = [.. parts.Select(Visible)];
        int room = MostCharacters - Between, open = visible.Length;
        // Short parts stay whole; the longer ones share what is left.
        foreach (int length in visible.Select(p => p.Length).Order())
        {
            if (length > room / open) break;
            room -= length;
            open--;
        }
        return open == 0 ? visible : [.. visible.Select((p, i) => Kept(p, room / open, end: i == 0))];
    }

    private static string Kept(string text, int most, bool end) => text.Length <= most ? text
        : end ? Cut + text[^(most - Cut.Length)..] : text[..(most - Cut.Length)] + Cut;

    /// <summary>Line breaks, other control characters, marks that turn the direction of text and halves of characters, as C# writes them.</summary>
    internal static string Visible(string text)
    {
        if (!text.Any(Hidden)) return text;
        var visible = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            bool pair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (pair) visible.Append(text, i++, 2);
            else if (!Hidden(text[i])) visible.Append(text[i]);
            else visible.Append(text[i] switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}") });
        }
        return visible.ToString();
    }

    private static bool Hidden(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}

/// <summary>
/// What to do about a mistake where that is another piece of work: hints of <see cref="InputException"/> that a program with commands of
/// its own may replace by them. Keys of requests and experiments stand in hints between backticks, for the same reason.
/// </summary>
public static class Remedy
{
    public const string PrepareMolecules = "prepare molecules into a store first";

    public const string PrepareFrames = "prepare frames into a store first";

    public const string Train = "train a model into it first";

    public const string ExamineMachine = "examine the machine to learn what is missing";

    public const string RetryFailed = "forget the run's failure to have it tried again";
}
