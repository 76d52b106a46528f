using System.Diagnostics;
using ChemScale.Engine.Operators;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>Forward and backward time of the single operations of a ChemGPT layer. Options: tokens width heads threads.</summary>
internal static class LayerOperationsBenchmark
{
    public static void Run(string[] args)
    {
        int Option(int at, int fallback) => args.Length > at ? int.Parse(args[at]) : fallback;
        int tokens = Option(0, 592), width = Option(1, 128), heads = Option(2, 16);
        set_num_threads(Option(3, get_num_threads()));
        int molecules = tokens / 37;
        using var rows = new PackedRows([.. Enumerable.Range(0, molecules + 1).Select(b => 37 * b)]);
        tokens = rows.Tokens;
        using Tensor x = randn(tokens, width).requires_grad_(), x4 = randn(tokens, 4 * width).requires_grad_(), x3 = randn(tokens, 3 * width).requires_grad_();
        using Tensor w = ones(width).requires_grad_(), b = zeros(width).requires_grad_();
        using Tensor up = randn(4 * width, width).requires_grad_(), upBias = zeros(4 * width).requires_grad_();
        using Tensor table = randn(684, width).requires_grad_(), ids = randint(0, 684, tokens, dtype: ScalarType.Int64);
        Time("layer norm", () => LayerNorm.Apply(x, w, b, 1e-5));
        Time("linear h -> 4h", () => nn.functional.linear(x, up, upBias));
        Time("linear and gelu", () => LinearGelu.Apply(x, up, upBias));
        Time("gelu 4h", () => Gelu.Apply(x4));
        Time("attention", () => Attention.Apply(x3, rows, heads));
        Time("add", () => x + x);
        Time("embedding", () => table.index_select(0, ids));
        Time("logits + loss", () => CrossEntropy.Apply(nn.functional.linear(x, table), ids));
    }

    private static void Time(string name, Func<Tensor> operation)
    {
        double forward = double.MaxValue, backward = double.MaxValue;
        for (int i = 0; i < 300; i++)
        {
            using var scope = NewDisposeScope();
            long start = Stopwatch.GetTimestamp();
            Tensor y = operation();
            forward = Math.Min(forward, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            Tensor g = ones_like(y);
            start = Stopwatch.GetTimestamp();
            y.backward([g]);
            backward = Math.Min(backward, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
        // The least disturbed repeat: other work on the machine only ever adds.
        Console.WriteLine($"{name,-16} forward {forward,8:F1} us, backward {backward,8:F1} us");
    }
}
