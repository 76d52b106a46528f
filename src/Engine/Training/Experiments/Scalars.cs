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

/// <summary>How often something happens during a run: <c>0.25 epochs</c>, <c>500 steps</c>, <c>10 minutes</c> or <c>never</c>.</summary>
public readonly record struct Interval(double Count, IntervalUnit Unit)
{
    public const string Expected = "an interval such as `0.25 epochs`, `500 steps`, `10 minutes` or `never`";

    public static Interval Never => new(0, IntervalUnit.Never);

    public static Interval Epochs(double count) => new(count, IntervalUnit.Epochs);

    public static Interval Steps(long count) => new(count, IntervalUnit.Steps);

    public static Interval Minutes(double count) => new(count, IntervalUnit.Minutes);

    public static bool TryParse(string text, out Interval interval)
    {
        interval = Never;
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is ["never"]) return true;
        if (words.Length != 2) return false;
        if (!double.TryParse(words[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double count)) return false;
        IntervalUnit? unit = words[1] switch
        {
            "epoch" or "epochs" => IntervalUnit.Epochs,
            "step" or "steps" => IntervalUnit.Steps,
            "minute" or "minutes" => IntervalUnit.Minutes,
            _ => null,
        };
        if (unit is null || !(count > 0) || double.IsInfinity(count)) return false;
        if (unit == IntervalUnit.Steps && count != Math.Floor(count)) return false;
        interval = new Interval(count, unit.Value);
        return true;
    }

    /// <summary>Whether a multiple of the interval was reached by the step that made <paramref name="completed"/> of them.</summary>
    /// <remarks>Minutes are a matter of the clock: false here.</remarks>
    public bool DueAfter(long completed, long stepsPerEpoch)
    {
        double period = Unit switch
        {
            IntervalUnit.Steps => Count,
            IntervalUnit.Epochs => Count * stepsPerEpoch,
            _ => double.PositiveInfinity,
        };
        // The nudge lets 3 x 0.1 epochs of 10 steps be step 3 in floating point.
        return Math.Floor(completed / period + 1e-9) > Math.Floor((completed - 1) / period + 1e-9);
    }

    public override string ToString() => Unit == IntervalUnit.Never
        ? "never"
        : $"{Scalars.Format(Count)} {Unit.ToString().ToLowerInvariant()}";
}

public enum IntervalUnit
{
    Never,
    Steps,
    Epochs,
    Minutes,
}
