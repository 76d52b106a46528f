using System.Diagnostics;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using CommandLine;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// Packed causal attention, composed and by kernels in turn: forward and backward time against the number of molecules. On the CPU,
/// whose accelerator is for tests, only a check that both run.
/// </summary>
internal static class AttentionBenchmark
{
    private sealed class Options
    {
        [Option("device", Default = "cpu", HelpText = "cpu or cuda.")]
        public string Device { get; set; } = "cpu";

        [Option("molecules", Separator = ',', Default = new[] { 16, 64 })]
        public IEnumerable<int> Molecules { get; set; } = [];

        [Option("tokens", Default = 37, HelpText = "Of a molecule.")]
        public int Tokens { get; set; }

        [Option("heads", Default = 16)]
        public int Heads { get; set; }

        [Option("head-width", Default = 8)]
        public int HeadWidth { get; set; }

        [Option("window", Default = 0)]
        public int Window { get; set; }

        [Option("repeats", Default = 20)]
        public int Repeats { get; set; }
    }

    public static void Run(string[] args) => Parser.Default.ParseArguments<Options>(args).WithParsed(Run);

    private static void Run(Options o)
    {
        int width = o.Heads * o.HeadWidth;
        Console.WriteLine($"attention, {o.Tokens} tokens a molecule, {o.Heads} heads of {o.HeadWidth}, window {o.Window}, float32, "
            + $"{o.Device}; medians of {o.Repeats}");
        // As docs/KERNELS.md counts them.
        long keys = Enumerable.Range(1, o.Tokens).Sum(i => (long)(o.Window > 0 ? Math.Min(i, o.Window) : i));
        double[] bytes = [16.0 * width + 8 * o.Heads, 48.0 * width + 24 * o.Heads];
        double[] flops = [4.0 * o.HeadWidth + 22, 14.0 * o.HeadWidth + 44];
        foreach (int molecules in o.Molecules)
        {
            double[] composed = Times(OperatorMode.Composed, molecules, o), kernels = Times(OperatorMode.Kernels, molecules, o);
            for (int pass = 0; pass < 2; pass++)
            {
                double tokens = (double)molecules * o.Tokens, work = flops[pass] * keys * o.Heads * molecules;
                string name = pass == 0 ? "forward" : "backward";
                Console.WriteLine($"{tokens,10:N0} tokens, {name,-8} composed {composed[pass] * 1e6,10:F1} us, "
                    + $"kernels {kernels[pass] * 1e6,10:F1} us ({composed[pass] / kernels[pass]:F2} times as fast), "
                    + $"{tokens / kernels[pass] / 1e6:F3} M tokens/s, "
                    + $"{bytes[pass] * tokens / kernels[pass] / 1e9:F1} GB/s, {work / kernels[pass] / 1e9:F1} GFLOP/s");
            }
        }
    }

    /// <summary>Median seconds of each pass.</summary>
    private static double[] Times(OperatorMode mode, int molecules, Options o)
    {
        OperatorModes.Current = mode;
        using DisposeScope scope = NewDisposeScope();
        using var rows = new PackedRows([.. Enumerable.Range(0, molecules + 1).Select(b => o.Tokens * b)]);
        Tensor qkv = randn(rows.Tokens, 3 * o.Heads * o.HeadWidth, device: new Device(o.Device)).requires_grad_();
        double[][] times = [new double[o.Repeats], new double[o.Repeats]];
        // The first two warm up: they compile, and fill the allocator's cache.
        for (int repeat = -2; repeat < o.Repeats; repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor? output = null;
            double forward = Seconds(qkv, () => output = Attention.Apply(qkv, rows, o.Heads, o.Window));
            Tensor gradient = ones_like(output!);
            double backward = Seconds(qkv, () => autograd.grad([output!], [qkv], [gradient]));
            AutogradFunction.ThrowIfFailed();
            if (repeat >= 0) (times[0][repeat], times[1][repeat]) = (forward, backward);
        }
        return [.. times.Select(t => t.Order().ElementAt(t.Length / 2))];
    }

    private static double Seconds(Tensor on, Action action)
    {
        if (on.device_type == DeviceType.CUDA) cuda.synchronize();
        long start = Stopwatch.GetTimestamp();
        action();
        if (on.device_type == DeviceType.CUDA) cuda.synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
