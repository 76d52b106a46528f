using System.Globalization;

namespace ChemScale.Engine.Models;

/// <summary>Lists in experiment files, which hold single values.</summary>
internal static class CommaSeparated
{
    /// <summary><c>H, C, N, O</c> as atomic numbers, in this order.</summary>
    /// <exception cref="InputException">No element, an unknown one, or one twice.</exception>
    public static int[] Elements(string text, string place)
    {
        int[] numbers = [.. Parts(text).Select(symbol => Atoms.Elements.Number(symbol, place))];
        if (numbers.Length == 0) throw new InputException(place, "no element", "symbols separated by commas, such as H, C, N, O");
        if (numbers.Distinct().Count() < numbers.Length) throw new InputException(place, $"'{text}'", "each element once");
        return numbers;
    }

    /// <summary><c>64, 128</c> as numbers.</summary>
    /// <exception cref="InputException">Something that is not a positive whole number, or fewer than <paramref name="least"/>.</exception>
    public static int[] Widths(string text, string place, int least = 1)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        int[] widths = [.. Parts(text).Select(part => int.TryParse(part, NumberStyles.None, invariant, out int n) ? n : 0)];
        if (widths.Length < least || widths.Any(n => n < 1))
            throw new InputException(place, $"'{text}'", "positive whole numbers separated by commas, such as 64, 128");
        return widths;
    }

    private static string[] Parts(string text) => text.Trim().Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries);
}
