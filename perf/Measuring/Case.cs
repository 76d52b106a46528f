using System.Text.Json.Nodes;

namespace ChemScale.Perf.Measuring;

/// <summary>What one comparison was made on: named parameters, one of which may be the size that slopes are taken over.</summary>
/// <param name="Parameters">Numbers and words, in the order of display.</param>
/// <param name="Size">Name of the size; null: none.</param>
/// <param name="Items">What a pass works through.</param>
/// <param name="Unit">What they are: edges, tokens.</param>
internal sealed record Case(JsonObject Parameters, string? Size, double Items, string Unit)
{
    /// <summary>What the peer must know besides the parameters; not shown.</summary>
    public JsonObject? ForPeer { get; init; }

    public override string ToString() => Text(Parameters);

    /// <summary>edges 10000, functions 20</summary>
    /// <param name="parameters">As in <see cref="Parameters"/>.</param>
    /// <param name="without">One to leave out.</param>
    public static string Text(JsonObject parameters, string? without = null) =>
        string.Join(", ", parameters.Where(p => p.Key != without).Select(p => $"{p.Key} {p.Value}"));
}
