using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>The settable properties of a record: the keys of its section.</summary>
internal static class Fields
{
    public static IEnumerable<PropertyInfo> Of(Type record) =>
        record.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite);

    public static string Key(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    /// <summary>What a list of single values holds; null where the type is none.</summary>
    public static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) && Scalars.Holds(type.GetGenericArguments()[0]) ? type.GetGenericArguments()[0] : null;

    /// <summary>Whether the file may say null.</summary>
    public static bool IsNullable(PropertyInfo property) => Nullable.GetUnderlyingType(property.PropertyType) is not null
        || (property.PropertyType == typeof(string)
            && new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable);

    /// <summary>A record equal to this one, whose properties may be set.</summary>
    public static object Copy(object record) =>
        record.GetType().GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.Instance)!.Invoke(record, null)!;

    /// <summary>The known key nearest to a misspelt one, as a hint; the list of keys where none is near.</summary>
    public static string HintFor(string key, IReadOnlyCollection<string> known)
    {
        string nearest = known.MinBy(k => Distance(key.ToLowerInvariant(), k.ToLowerInvariant())) ?? "";
        int allowed = Math.Max(2, Math.Max(key.Length, nearest.Length) * 2 / 5);
        return nearest.Length > 0 && Distance(key.ToLowerInvariant(), nearest.ToLowerInvariant()) <= allowed
            ? $"did you mean {nearest}?"
            : $"known here: {string.Join(", ", known)}";
    }

    /// <summary>Levenshtein distance; underscores and hyphens do not count, so that snake_case finds its camelCase.</summary>
    private static int Distance(string a, string b)
    {
        a = a.Replace("_", "").Replace("-", "");
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}

/// <summary>Checks values against the <see cref="RangeAttribute"/> of their property.</summary>
internal static class Bounds
{
    /// <exception cref="InputException">The value is outside the property's range, or not a number.</exception>
    public static void Check(PropertyInfo property, object? value, string place)
    {
        if (value is double d && !double.IsFinite(d)) throw new InputException(place, Scalars.Format(d), "a finite number");
        if (value is null || property.GetCustomAttribute<RangeAttribute>() is not { } range) return;
        double x = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        double low = Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture);
        double high = Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
        bool inside = (range.MinimumIsExclusive ? x > low : x >= low) && (range.MaximumIsExclusive ? x < high : x <= high);
        if (inside) return;
        string expected = range.MinimumIsExclusive ? $"above {Scalars.Format(range.Minimum)}" : $"at least {Scalars.Format(range.Minimum)}";
        if (high < int.MaxValue)
            expected += (range.MaximumIsExclusive ? " and below " : " and at most ") + Scalars.Format(range.Maximum);
        throw new InputException(place, Scalars.Format(value), expected);
    }

    /// <summary>Checks a record and the records in it.</summary>
    public static void CheckAll(object record, string place, string path)
    {
        foreach (PropertyInfo property in Fields.Of(record.GetType()))
        {
            object? value = property.GetValue(record);
            string key = $"{path}.{Fields.Key(property)}";
            if (value is not null && !Scalars.Holds(property.PropertyType)) CheckAll(value, place, key);
            else Check(property, value, $"{place}: {key}");
        }
    }
}

/// <summary>
/// Marks what says where or how safely an experiment runs, not what it computes: left out of <see cref="Experiment.Id"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OutsideIdentityAttribute : Attribute;
