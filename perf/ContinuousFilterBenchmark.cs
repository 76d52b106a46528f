using System.Diagnostics;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using CommandLine;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// SchNet's convolution, composed, on the host and by kernels in turn: the passes of a training step on forces against the number of
/// edges. On the CPU, whose accelerator is for tests, only a check that kernels run.
/// </summary>
internal static class ContinuousFilterBenchmark
{
    private sealed class Options
    {
        [Option("device", Default = "cpu", HelpText = "cpu or cuda.")]
        public string Device { get; set; } = "cpu";

        [Option("edges", Separator = ',', Default = new[] { 10_000, 40_000 })]
        public IEnumerable<int> Edges { get; set; } = [];

        [Option("neighbors", Default = 18, HelpText = "Edges that an atom receives.")]
        public int Neighbors { get; set; }

        [Option("filters", Default = 128, HelpText = "Width, N.")]
        public int Filters { get; set; }

        [Option("functions", Default = 20, HelpText = "Functions in the basis, K.")]
        public int Functions { get; set; }

        [Option("repeats", Default = 20)]
        public int Repeats { get; set; }
    }

    public static void Run(string[] args) => Parser.Default.ParseArguments<Options>(args).WithParsed(Run);

    private static void Run(Options o)
    {
        Device device = new(o.Device);
        using CudaTimer? timer = device.type == DeviceType.CUDA ? new CudaTimer(Math.Max(device.index, 0)) : null;
        Console.WriteLine($"N = {o.Filters}, K = {o.Functions}, float32, {o.Device}; medians of {o.Repeats}");
        // Of the filter network with nothing kept, as kernels do it.
        double dense = 2.0 * o.Filters * o.Filters, thin = 2.0 * o.Filters * o.Functions;
        double[] flops = [dense + thin, 3 * dense + 3 * thin, 8 * dense + 7 * thin];
        string[] names = ["forward", "backward", "double backward"];
        foreach (int edges in o.Edges)
        {
            double[] composed = Times(OperatorMode.Composed, edges, o, device, timer);
            double[] host = Times(OperatorMode.Host, edges, o, device, timer);
            double[] kernels = Times(OperatorMode.Kernels, edges, o, device, timer);
            for (int pass = 0; pass < names.Length; pass++)
            {
                double rate = edges / kernels[pass];
                Console.WriteLine($"{edges,10:N0} edges, {names[pass],-16} composed {composed[pass] * 1e3,8:F2} ms, host {host[pass] * 1e3,8:F2} ms, "
                    + $"kernels {kernels[pass] * 1e3,8:F2} ms, {rate / 1e6:F1} M edges/s, {rate * flops[pass] / 1e12:F3} TFLOP/s");
            }
        }
    }

    /// <summary>Median seconds of each pass.</summary>
    private static double[] Times(OperatorMode mode, int edges, Options o, Device device, CudaTimer? timer)
    {
        OperatorModes.Current = mode;
        using DisposeScope scope = NewDisposeScope();
        using EdgeList list = Ring(edges / o.Neighbors, o.Neighbors, device);
        int n = o.Filters, k = o.Functions;
        Tensor[] x = [Values(list.Atoms, n), Values(list.Count, k), Values(list.Count, 1), Values(n, k), Values(n), Values(n, n), Values(n)];
        var features = new EdgeFeatures(list, list.OneWay, null!, null!, null!, x[1], x[2]);
        Tensor gradient = ones_like(x[0]);
        Tensor[] cotangents = [.. x[..3].Select(t => ones_like(t))];
        double[][] times = [new double[o.Repeats], new double[o.Repeats], new double[o.Repeats]];
        // The first two warm up: they compile, and fill the allocator's cache.
        for (int repeat = -2; repeat < o.Repeats; repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor? output = null;
            IList<Tensor> first = [];
            Record(0, () => output = ContinuousFilter.Apply(x[0], features, x[3], x[4], x[5], x[6]));
            Record(1, () => first = autograd.grad([output!], x[..3], [gradient], retain_graph: true, create_graph: true));
            Record(2, () => autograd.grad(first, x, cotangents, allow_unused: true));
            AutogradFunction.ThrowIfFailed();

            void Record(int pass, Action action)
            {
                timer?.Start();
                long start = Stopwatch.GetTimestamp();
                action();
                double seconds = (timer?.Stop() ?? Stopwatch.GetElapsedTime(start)).TotalSeconds;
                if (repeat >= 0) times[pass][repeat] = seconds;
            }
        }
        return [.. times.Select(t => t.Order().ElementAt(t.Length / 2))];

        Tensor Values(params long[] shape) => (randn(shape, device: device) * 0.1).requires_grad_();
    }

    /// <summary>Every atom hears those that come next.</summary>
    private static EdgeList Ring(int atoms, int neighbors, Device device)
    {
        int[] rowStarts = [.. Enumerable.Range(0, atoms + 1).Select(i => neighbors * i)];
        int[] senders = [.. Enumerable.Range(0, atoms * neighbors).Select(e => (e / neighbors + 1 + e % neighbors) % atoms)];
        return new EdgeList(rowStarts, senders, device: device);
    }
}
