using System.Globalization;

namespace ChemScale.Perf.Counting;

/// <summary>
/// A committed table of what every kernel takes on fixed small cases: perf/counters/kernels.tsv. A kernel that takes more than the table says is either
/// mended, or the table is changed, with the reason in its last column.
/// </summary>
internal static class CounterTable
{
    /// <summary>Share by which a figure may grow unnoticed.</summary>
    public const double Tolerance = 0.01;

    private static readonly string[] Watched = ["instructions", "sectors", "bytes", "shared_turns", "barriers"];

    private static readonly string[] Columns =
    [
        "kernel", "launches", "warps", "instructions", "fp32", "fp64", "integer", "special", "matrix", "lanes", "requests", "sectors", "bytes", "shared_turns",
        "shared_best", "cache_turns", "barriers", "registers", "resident_warps", "bound", "h200_ns", "note", "reason",
    ];

    /// <param name="kernels">Counted, one each.</param>
    /// <param name="old">The table whose reasons stay.</param>
    public static string Write(IEnumerable<KernelFigures> kernels, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> old) =>
        string.Join('\t', Columns) + "\n" + string.Concat(kernels.OrderBy(k => k.Kernel, StringComparer.Ordinal)
            .Select(k => string.Join('\t', Row(k, old.GetValueOrDefault(k.Kernel)?.GetValueOrDefault("reason") ?? "")) + "\n"));

    /// <summary>Rows by kernel, cells by column; lines that begin with # are none.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Read(string text)
    {
        string[][] lines = [.. text.Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('\t'))];
        if (lines.Length == 0) return new Dictionary<string, IReadOnlyDictionary<string, string>>();
        return lines.Skip(1).ToDictionary(cells => cells[0],
            cells => (IReadOnlyDictionary<string, string>)lines[0].Zip(cells).ToDictionary(p => p.First, p => p.Second));
    }

    /// <summary>What has become worse than the table says, or is not in it, a line each.</summary>
    public static IEnumerable<string> Worse(IEnumerable<KernelFigures> kernels, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> table)
    {
        foreach (KernelFigures kernel in kernels)
        {
            if (!table.TryGetValue(kernel.Kernel, out IReadOnlyDictionary<string, string>? row))
            {
                yield return $"{kernel.Kernel}: not in the table";
                continue;
            }
            Dictionary<string, string> now = Columns.Zip(Row(kernel, "")).ToDictionary(p => p.First, p => p.Second);
            foreach (string column in Watched)
            {
                double found = Number(now[column]), known = Number(row[column]);
                if (found <= known * (1 + Tolerance)) continue;
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"{kernel.Kernel}: {column} {found:N0}, {known:N0} in the table ({100 * (found / known - 1):F1} % more)");
            }
        }
    }

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);

    private static string[] Row(KernelFigures k, string reason) =>
    [
        k.Kernel, Whole(k.Launches), Whole(k.Warps), Whole(k.Instructions), Unit(k, "fp32"), Unit(k, "fp64"), Unit(k, "integer"), Whole(k.Special),
        Unit(k, "matrix"), k.Lanes.ToString("F3", CultureInfo.InvariantCulture), Whole(k.Requests), Whole(k.Sectors), Whole(k.CompulsoryBytes),
        Whole(k.SharedTurns), Whole(k.SharedTurnsAtBest), Whole(k.CacheTurns), Whole(k.Barriers), Whole(k.Registers), Whole(k.ResidentWarps), k.Bound.Key,
        (1e9 * k.Bound.Value).ToString("F1", CultureInfo.InvariantCulture), k.LatencyDecides ? "latency not predicted" : "", reason,
    ];

    private static string Unit(KernelFigures k, string unit) => Whole(k.Units.GetValueOrDefault(unit));

    private static string Whole(double value) => value.ToString("F0", CultureInfo.InvariantCulture);
}
