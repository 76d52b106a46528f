using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Kernels.Attention;
using ChemScale.Kernels.Attention.TensorCores;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Packed causal attention in every form there is: batches of molecules, head widths at one width of the model, and long sequences, to find
/// the length from which the library's own operation is the faster one.
/// </summary>
internal sealed class AttentionBenchmark : Benchmark
{
    private const int Width = 128;
    private const int HeadWidth = 8;

    // A device is not filled by one.
    private const int LongSequencesOnCuda = 4;

    public override string Name => "attention";

    public override string Summary => "packed causal attention: molecules, head widths, long sequences";

    /// <summary>As docs/KERNELS.md counts them.</summary>
    /// <param name="molecules">B</param>
    /// <param name="length">L, tokens of each</param>
    /// <param name="heads">Heads.</param>
    /// <param name="d">Head width.</param>
    /// <param name="window">0: none.</param>
    public static Pass[] Passes(double molecules, int length, double heads, double d, int window)
    {
        double keys = 0, tokens = molecules * length;
        for (int i = 1; i <= length; i++) keys += window > 0 ? Math.Min(i, window) : i;
        return
        [
            new(Pass.Forward, tokens * (16 * heads * d + 8 * heads), molecules * keys * heads * (4 * d + 22)),
            new(Pass.Backward, tokens * (48 * heads * d + 24 * heads), molecules * keys * heads * (14 * d + 44)),
        ];
    }

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long molecules in s.Molecules) Compare(run, "molecules", (int)molecules, s.Tokens, s.Heads, HeadWidth);
        int fixedBatch = s.Sizes(4, 16, 1024);
        // One width of the model, so that only the shape of its heads varies; the batch of above is measured already.
        foreach (long d in s.HeadWidths.Where(d => d != HeadWidth || s.Heads != Width / HeadWidth || !s.Molecules.Contains(fixedBatch)))
            Compare(run, null, fixedBatch, s.Tokens, (int)Math.Max(1, Width / d), (int)d);
        int sequences = s.Cuda ? LongSequencesOnCuda : 1;
        foreach (long length in s.Lengths) Compare(run, "tokens", sequences, (int)length, s.Heads, HeadWidth);
        NoteCrossover(run);
    }

    /// <summary>Says from which length on the library is faster, forward and backward together.</summary>
    private static void NoteCrossover(BenchmarkRun run)
    {
        Measurement[] sequences = [.. run.Results.Where(m => m.Size == "tokens")];
        (double Length, double Ratio)[] ratios = [.. sequences.GroupBy(m => m.SizeValue).OrderBy(g => g.Key)
            .Where(g => new[] { "kernels", "library" }.All(side => g.Count(m => m.Side == side) == 2))
            .Select(g => (g.Key, Sum(g, "kernels") / Sum(g, "library")))];
        if (ratios.Length == 0) return;
        double? from = ratios.Reverse().TakeWhile(r => r.Ratio > 1).Select(r => (double?)r.Length).LastOrDefault();
        string all = string.Join(", ", ratios.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Length}: {r.Ratio:F2}")));
        run.Note($"kernels' time over the library's, forward and backward, by length: {all}; "
            + (from is { } length ? $"the library is faster from {length} tokens on" : $"kernels are faster at {ratios[^1].Length} tokens"));

        static double Sum(IEnumerable<Measurement> of, string side) => of.Where(m => m.Side == side).Sum(m => m.Seconds.Median);
    }

    /// <param name="run">Where to.</param>
    /// <param name="size">Which of the parameters is the size; null: none.</param>
    /// <param name="molecules">B</param>
    /// <param name="length">L</param>
    /// <param name="heads">Heads.</param>
    /// <param name="d">Head width.</param>
    private static void Compare(BenchmarkRun run, string? size, int molecules, int length, int heads, int d)
    {
        RunSettings s = run.Settings;
        var parameters = new JsonObject
        {
            ["molecules"] = molecules,
            ["tokens"] = length,
            ["heads"] = heads,
            ["headWidth"] = d,
            ["window"] = s.Window,
        };
        double tokens = (double)molecules * length, rows = 4 * tokens * heads * d, scores = 4 * tokens * length * heads;
        SidePlan[] plans =
        [
            SidePlan.Composed(20 * rows + 6 * scores), .. s.Cuda ? (SidePlan[])[] : [SidePlan.Host(12 * rows)],
            .. AttentionGrid.Has(d) ? (SidePlan[])[SidePlan.Kernels(12 * rows)] : [],
            // Tensor cores: half the precision, and so a side of its own.
            .. (s.Cuda || s.Ptx) && MatrixAttentionLauncher.Has(d) ? (SidePlan[])[SidePlan.Kernels(12 * rows) with { Name = "bfloat16" }] : [],
            // With a window the library needs a mask, and may keep all scores.
            SidePlan.Library(24 * rows + (s.Window > 0 ? 6 * scores : 0)),
        ];
        run.Compare(new Case(parameters, size, tokens, "tokens"), Passes(molecules, length, heads, d, s.Window), plans,
            scope => Steps(scope, molecules, length, heads, d, s), "attention_torch.py", peerMemory: 40 * rows);
    }

    private static Func<SidePlan, Action<PassClock>> Steps(CaseScope scope, int molecules, int length, int heads, int d, RunSettings s)
    {
        var rows = scope.Keep(new PackedRows([.. Enumerable.Range(0, molecules + 1).Select(b => length * b)]));
        Tensor qkv = randn(rows.Tokens, 3 * heads * d, device: s.Device).requires_grad_();
        int window = s.Window >= length ? 0 : s.Window;
        double scale = 1 / Math.Sqrt(d);
        return plan =>
        {
            Func<Tensor> form = plan.Name switch
            {
                "host" => () => AttentionHostFunction.Apply(qkv, rows, heads, window, scale),
                // Past the length from which Attention itself takes the library.
                "kernels" => () => AttentionKernelsFunction.Apply(qkv, rows, heads, window, scale, AttentionPrecision.Weights),
                "bfloat16" => () => AttentionKernelsFunction.Apply(qkv, rows, heads, window, scale, AttentionPrecision.Bfloat16),
                "library" => () => AttentionLibrary.Apply(qkv, rows, heads, window, scale),
                _ => () => AttentionComposed.Apply(qkv, rows, heads, window, scale),
            };
            return new Differentiation { Inputs = [qkv], Forward = () => [form()] }.Step;
        };
    }
}
