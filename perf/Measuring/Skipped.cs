using System.Text.Json.Nodes;

namespace ChemScale.Perf.Measuring;

/// <summary>What was not measured, and why.</summary>
/// <param name="Benchmark">Name.</param>
/// <param name="Parameters">Of the case; null: the whole benchmark.</param>
/// <param name="Side">Which side; null: all.</param>
/// <param name="Pass">Which pass; null: all.</param>
/// <param name="Reason">One line.</param>
/// <param name="Failed">It was tried, and broke.</param>
internal sealed record Skipped(string Benchmark, JsonObject? Parameters, string? Side, string? Pass, string Reason, bool Failed = false);
