using System.Diagnostics;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// Training steps of ChemGPT: useful tokens per second, beside the matrix-product rate of the model's own shapes measured in the same run.
/// Options: layers width heads batch steps mode.
/// </summary>
internal static class ChemGptBenchmark
{
    public static void Run(string[] args)
    {
        int Option(int at, int fallback) => args.Length > at ? int.Parse(args[at]) : fallback;
        int layers = Option(0, 24), width = Option(1, 128), heads = Option(2, 16), batch = Option(3, 16), steps = Option(4, 10);
        if (args.Length > 5) OperatorModes.Current = OperatorModes.Parse(args[5]);
        var config = new ChemGptConfig { Layers = layers, Width = width, Heads = heads };
        using var model = new ChemGpt(config, seed: 1);
        using PackedRows rows = Rows(batch);
        int tokens = rows.Tokens;
        using Tensor ids = randint(5, 200, tokens, dtype: ScalarType.Int64);
        using Tensor positions = tensor(Positions(rows));
        using Tensor targets = ids.clone();

        var forward = new Stopwatch();
        var backward = new Stopwatch();
        for (int step = -3; step < steps; step++)
        {
            if (step == 0)
            {
                forward.Reset();
                backward.Reset();
            }
            using var scope = NewDisposeScope();
            forward.Start();
            Tensor loss = model.Loss(ids, positions, rows, targets);
            forward.Stop();
            backward.Start();
            loss.backward();
            AutogradFunction.ThrowIfFailed();
            backward.Stop();
            foreach (var p in model.parameters()) p.grad?.zero_();
        }
        double seconds = (forward.Elapsed + backward.Elapsed).TotalSeconds / steps;
        double rate = MatrixRate(config, tokens);
        double achieved = 6.0 * config.NonEmbeddingParameters * tokens / seconds;
        Console.WriteLine($"layers {layers} width {width} batch {batch} ({tokens} tokens): forward {forward.Elapsed.TotalMilliseconds / steps:F1} ms, "
            + $"backward {backward.Elapsed.TotalMilliseconds / steps:F1} ms, {tokens / seconds:F0} tokens/s; 6N x tokens/s {achieved / 1e9:F1} GF/s = "
            + $"{achieved / rate:P0} of {rate / 1e9:F1} GF/s");
    }

    /// <summary>FLOP/s of the forward and backward products of one layer at its own shapes, nothing else.</summary>
    public static double MatrixRate(ChemGptConfig config, int tokens)
    {
        int h = config.Width;
        (int In, int Out)[] shapes = [(h, 3 * h), (h, h), (h, 4 * h), (4 * h, h)];
        double flops = 0;
        var watch = new Stopwatch();
        using (no_grad())
        {
            foreach ((int inner, int outer) in shapes)
            {
                using var scope = NewDisposeScope();
                Tensor x = randn(tokens, inner), w = randn(outer, inner), g = randn(tokens, outer), wt = w.t();
                Tensor gt = g.t();
                int repeats = Math.Max(20, (int)(2e9 / (6.0 * tokens * inner * outer)));
                for (int i = -3; i < repeats; i++)
                {
                    if (i == 0) watch.Start();
                    using Tensor a = mm(x, wt), b = mm(g, w), c = mm(gt, x);
                }
                watch.Stop();
                flops += 6.0 * tokens * inner * outer * repeats;
            }
        }
        return flops / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Molecules of 37 tokens on average, as MOSES has with [CLS] and [SEP].</summary>
    private static PackedRows Rows(int batch)
    {
        var random = new Random(1);
        var starts = new int[batch + 1];
        for (int b = 0; b < batch; b++) starts[b + 1] = starts[b] + random.Next(25, 50);
        return new PackedRows(starts);
    }

    private static long[] Positions(PackedRows rows)
    {
        var positions = new long[rows.Tokens];
        for (int b = 0; b < rows.Molecules; b++)
            for (int t = rows.Starts[b]; t < rows.Starts[b + 1]; t++) positions[t] = t - rows.Starts[b];
        return positions;
    }
}
