using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace ChemScale.Engine.Training.Experiments;

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
