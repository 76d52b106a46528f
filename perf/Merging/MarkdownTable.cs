using System.Globalization;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Merging;

/// <summary>Results of any number of files as one Markdown table.</summary>
internal static class MarkdownTable
{
    public static IEnumerable<string> Of(IReadOnlyList<(string File, RunResult Result)> files)
    {
        yield return "| device | benchmark | case | side | pass | median | quartiles | rate | GB/s | of a copy | GFLOP/s | of matrices | of composed |";
        yield return "|---|---|---|---|---|---|---|---|---|---|---|---|---|";
        foreach ((string _, RunResult result) in files)
        {
            foreach (Measurement m in result.Records)
            {
                Measurement? composed = result.Records.LastOrDefault(o => o.Benchmark == m.Benchmark && o.Side == "composed" && o.Pass == m.Pass && o.Case == m.Case);
                string[] cells =
                [
                    Device(result.Host), m.Benchmark, m.Case, m.Library is null ? m.Side : $"{m.Side} ({m.Library})", m.Pass, Display.Time(m.Seconds.Median),
                    $"{Display.Time(m.Seconds.LowerQuartile)} .. {Display.Time(m.Seconds.UpperQuartile)}",
                    m.Items > 0 ? Display.Rate(m.ItemsPerSecond, m.Unit + "/s") : "", Number(m.BytesPerSecond / 1e9), Share(m.OfCopy),
                    Number(m.FlopsPerSecond / 1e9), Share(m.OfMatrix), Number(m.Seconds.Median / composed?.Seconds.Median),
                ];
                yield return "| " + string.Join(" | ", cells) + " |";
            }
        }
    }

    private static string Device(HostFacts host) => host.Device is "cpu" ? $"{host.Processor}, {host.Threads} threads" : host.Device is "" ? host.HostName : host.Device;

    private static string Number(double? value) => value?.ToString("G3", CultureInfo.InvariantCulture) ?? "";

    private static string Share(double? value) => value is { } share ? string.Create(CultureInfo.InvariantCulture, $"{100 * share:F0} %") : "";
}
