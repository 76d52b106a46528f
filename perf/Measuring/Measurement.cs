using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ChemScale.Perf.Measuring;

/// <summary>One pass of one side of one case: a record of the results. Peers write the same names.</summary>
internal sealed record Measurement
{
    public required string Benchmark { get; init; }

    public required JsonObject Parameters { get; init; }

    /// <summary>Which parameter is the size; null: none.</summary>
    public string? Size { get; init; }

    public required string Side { get; init; }

    public required string Pass { get; init; }

    public required Summary Seconds { get; init; }

    /// <summary>What the pass works through.</summary>
    public double Items { get; init; }

    public string Unit { get; init; } = "";

    public double ItemsPerSecond { get; init; }

    /// <summary>Compulsory traffic, counted.</summary>
    public double? Bytes { get; init; }

    /// <summary>Floating-point operations, counted.</summary>
    public double? Flops { get; init; }

    public double? BytesPerSecond { get; init; }

    public double? FlopsPerSecond { get; init; }

    /// <summary>Of the copy bandwidth measured in this run.</summary>
    public double? OfCopy { get; init; }

    /// <summary>Of the float32 matrix rate measured in this run.</summary>
    public double? OfMatrix { get; init; }

    /// <summary>Of the bfloat16 matrix rate measured in this run.</summary>
    public double? OfMatrixBfloat16 { get; init; }

    /// <summary>Of a peer: which library, which version.</summary>
    public string? Library { get; init; }

    /// <summary>What else the benchmark says of it.</summary>
    public JsonObject? More { get; init; }

    [JsonIgnore]
    public string Case => Perf.Measuring.Case.Text(Parameters);

    [JsonIgnore]
    public string CaseWithoutSize => Perf.Measuring.Case.Text(Parameters, Size);

    /// <summary>NaN where the case has no size.</summary>
    [JsonIgnore]
    public double SizeValue =>
        Size is not null && Parameters[Size] is { } value ? double.Parse(value.ToString(), CultureInfo.InvariantCulture) : double.NaN;

    /// <param name="benchmark">Name.</param>
    /// <param name="of">What it was measured on.</param>
    /// <param name="side">Which side.</param>
    /// <param name="pass">Which pass, and its costs.</param>
    /// <param name="seconds">Its times.</param>
    /// <param name="rates">What the machine can do; null: not measured.</param>
    public static Measurement Of(string benchmark, Case of, string side, Pass pass, Summary seconds, Rates? rates)
    {
        double? bytes = pass.Bytes / seconds.Median, flops = pass.Flops / seconds.Median;
        double items = pass.Items ?? of.Items;
        return new Measurement
        {
            Benchmark = benchmark,
            Parameters = of.Parameters,
            Size = of.Size,
            Side = side,
            Pass = pass.Name,
            Seconds = seconds,
            Items = items,
            Unit = of.Unit,
            ItemsPerSecond = items / seconds.Median,
            Bytes = pass.Bytes,
            Flops = pass.Flops,
            BytesPerSecond = bytes,
            FlopsPerSecond = flops,
            OfCopy = bytes / rates?.Copy,
            OfMatrix = flops / rates?.Matrix,
            OfMatrixBfloat16 = flops / rates?.MatrixBfloat16,
        };
    }
}
