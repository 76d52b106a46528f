using System.Globalization;
using System.Text.Json.Nodes;

namespace ChemScale.Perf.Measuring;

/// <summary>Results as lines for people.</summary>
internal static class Display
{
    private static readonly (double Factor, string Prefix)[] Prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

    /// <param name="m">What to show.</param>
    /// <param name="all">The results so far, for the composed side of the same case.</param>
    public static string Line(Measurement m, IReadOnlyList<Measurement> all)
    {
        Measurement? composed = all.LastOrDefault(o => o.Benchmark == m.Benchmark && o.Side == "composed" && o.Pass == m.Pass && o.Case == m.Case);
        string text = $"{m.Case}: {m.Side,-13} {m.Pass,-15} {Time(m.Seconds.Median),9} ({Time(m.Seconds.LowerQuartile)} .. {Time(m.Seconds.UpperQuartile)})";
        if (m.Items > 0) text += $", {Rate(m.ItemsPerSecond, m.Unit + "/s")}";
        if (m.BytesPerSecond is { } bytes) text += $", {Rate(bytes, "B/s")}{Share(m.OfCopy, "a copy")}";
        if (m.FlopsPerSecond is { } flops) text += $", {Rate(flops, "FLOP/s")}{Share(m.OfMatrix, "matrices")}";
        if (composed is not null && composed != m)
            text += string.Create(CultureInfo.InvariantCulture, $", {composed.Seconds.Median / m.Seconds.Median:F2} times as fast as composed");
        if (m.More is not null) text += "; " + string.Join(", ", m.More.Where(p => p.Value is not JsonArray).Select(p => $"{p.Key} {Short(p.Value)}"));
        return text;
    }

    public static string Line(Slope s) => string.Create(CultureInfo.InvariantCulture,
        $"slope of log time by log {s.Size}: {s.Exponent:F3}{(s.Error is { } error ? $" +- {error:F3}" : "")} over {s.Points} sizes; ")
        + $"{s.Side} {s.Pass}{(s.Case.Length > 0 ? ", " + s.Case : "")}";

    public static string Rate(double value, string unit)
    {
        (double factor, string prefix) = Prefixes.FirstOrDefault(p => value >= p.Factor, (1, ""));
        return string.Create(CultureInfo.InvariantCulture, $"{value / factor:G4} {prefix}{unit}");
    }

    public static string Time(double seconds) => seconds switch
    {
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:F1} us"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F2} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s"),
    };

    private static string Share(double? share, string of) =>
        share is { } value ? string.Create(CultureInfo.InvariantCulture, $" = {100 * value:F0} % of {of}") : "";

    private static string Short(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out double number)
            ? number.ToString("G4", CultureInfo.InvariantCulture)
            : node?.ToString() ?? "";
}
