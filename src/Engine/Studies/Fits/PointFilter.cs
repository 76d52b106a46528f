using System.Globalization;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Fits;

/// <summary>A condition on points: KEY=VALUE or KEY=VALUE,VALUE. Numbers are compared as numbers, words without regard to case.</summary>
/// <param name="Key">Column, or key of an experiment.</param>
/// <param name="Values">Any of them.</param>
internal sealed record PointFilter(string Key, IReadOnlyList<string> Values)
{
    /// <exception cref="InputException">Not of that form.</exception>
    public static PointFilter Parse(string text)
    {
        (string key, string value) = ExperimentKeys.Parse(text, "where");
        return new PointFilter(key, value.Split(',', StringSplitOptions.TrimEntries));
    }

    public bool Holds(string found) => Values.Any(value => Same(value, found));

    /// <exception cref="InputException">The point has no such field.</exception>
    public string Of(IReadOnlyDictionary<string, string> fields, string place) => Field(fields, Key, place);

    /// <summary>Series of points that agree in some fields, in ascending order of those.</summary>
    /// <exception cref="InputException">A point lacks a field.</exception>
    public static IReadOnlyList<PointSeries> Groups(ScalingPoints points, IReadOnlyList<string> by)
    {
        if (by.Count == 0) return [new PointSeries(new Dictionary<string, string>(), points)];
        // Spreadsheets write one number in many ways.
        return [.. points.Kept.GroupBy(p => string.Join('\n', by.Select(key => OneLine.Name(Plain(Field(p.Fields, key, p.Name)), p.Name))))
            .OrderBy(g => g.Key.Split('\n')[0] is var first && double.TryParse(first, NumberStyles.Float, CultureInfo.InvariantCulture, out double x) ? x : double.PositiveInfinity)
            .ThenBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new PointSeries(by.Zip(g.Key.Split('\n')).ToDictionary(pair => pair.First, pair => pair.Second), points with { Kept = [.. g] }))];
    }

    private static string Field(IReadOnlyDictionary<string, string> fields, string key, string place)
    {
        string? name = fields.ContainsKey(key) ? key : fields.Keys.FirstOrDefault(k => k.Equals(key, StringComparison.OrdinalIgnoreCase));
        return name is not null ? fields[name] : throw new InputException(place, $"no '{key}'", string.Join(", ", fields.Keys));
    }

    private static string Plain(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number.ToString("R", CultureInfo.InvariantCulture) : text;

    private static bool Same(string a, string b) => Plain(a).Equals(Plain(b), StringComparison.OrdinalIgnoreCase);
}

/// <summary>Points that agree in some fields.</summary>
/// <param name="Values">Of those fields.</param>
/// <param name="Points">With what was left out of them.</param>
internal sealed record PointSeries(IReadOnlyDictionary<string, string> Values, ScalingPoints Points);
