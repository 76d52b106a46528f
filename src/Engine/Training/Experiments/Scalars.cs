using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>Text of single values in experiment files, both ways.</summary>
internal static class Scalars
{
    private static readonly string[] Nulls = ["", "~", "null", "none"];

    /// <summary>Whether a property of this type is one value, rather than a section.</summary>
    public static bool Holds(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(Interval);
    }

    public static bool IsNull(string text) => Nulls.Contains(text.ToLowerInvariant());

    /// <returns>The value, or null with <paramref name="expected"/> where the text is not one.</returns>
    public static object? Parse(Type type, string text, out string expected)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        expected = "";
        if (type == typeof(string)) return text;
        if (type == typeof(double))
        {
            if (double.TryParse(text, NumberStyles.Float, invariant, out double x)) return x;
            expected = "a number";
        }
        else if (type == typeof(int) || type == typeof(long))
        {
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out long n) && (type == typeof(long) || n == (int)n))
                return type == typeof(int) ? (object)(int)n : n;
            expected = "a whole number";
        }
        else if (type == typeof(bool))
        {
            if (text is "true" or "false") return text == "true";
            expected = "true or false";
        }
        else if (type == typeof(Interval))
        {
            if (Interval.TryParse(text, out Interval interval)) return interval;
            expected = Interval.Expected;
        }
        else if (type == typeof(SelfiesGrammar))
        {
            try
            {
                return SelfiesGrammars.Parse(text);
            }
            catch (InputException e)
            {
                expected = e.Expected;
            }
        }
        else if (type.IsEnum)
        {
            foreach (object value in Enum.GetValues(type))
                if (string.Equals(Format(value), text, StringComparison.OrdinalIgnoreCase)) return value;
            expected = string.Join(" or ", Enum.GetValues(type).Cast<object>().Select(Format));
        }
        else
        {
            throw new NotSupportedException($"no text form for {type.Name} in experiment files");
        }
        return null;
    }

    /// <summary>Text that <see cref="Parse"/> reads back exactly, and that YAML readers of every version take for the same type.</summary>
    public static string Format(object? value)
    {
        switch (value)
        {
            case null:
                return "null";
            case double x:
                string text = x.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
                int e = text.IndexOf('e');
                // YAML 1.1 takes 2e-05 for a string: a point makes it a number everywhere.
                return e > 0 && !text.Contains('.') ? text[..e] + ".0" + text[e..] : text;
            case bool b:
                return b ? "true" : "false";
            case SelfiesGrammar grammar:
                return grammar.Name();
            case Enum name:
                return JsonNamingPolicy.CamelCase.ConvertName(name.ToString());
            default:
                return Convert.ToString(value, CultureInfo.InvariantCulture)!;
        }
    }
}
