using System.Diagnostics;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using CommandLine;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// The radial basis, composed and by kernels in turn: forward, backward and double backward time against the number of edges. On the
/// CPU, whose accelerator is for tests, only a check that both run.
/// </summary>
internal static class RadialBenchmark
{
    private const double Cutoff = 5;

    private sealed class Options
    {
        [Option("device", Default = "cpu", HelpText = "cpu or cuda.")]
        public string Device { get; set; } = "cpu";

        [Option("edges", Separator = ',', Default = new[] { 10_000, 100_000 })]
        public IEnumerable<int> Edges { get; set; } = [];

        [Option("functions", Default = 20, HelpText = "Functions in the basis, K.")]
        public int Functions { get; set; }

        [Option("basis", Default = "gaussian", HelpText = "gaussian or bessel.")]
        public string Basis { get; set; } = "gaussian";

        [Option("repeats", Default = 20)]
        public int Repeats { get; set; }
    }

    public static void Run(string[] args) => Parser.Default.ParseArguments<Options>(args).WithParsed(Run);

    private static void Run(Options o)
    {
        using DisposeScope scope = NewDisposeScope();
        Device device = new(o.Device);
        bool gaussian = o.Basis == "gaussian";
        int k = o.Functions;
        double[] centers = [.. Enumerable.Range(0, k).Select(i => gaussian ? i * Cutoff / k : (i + 1) * Math.PI / Cutoff)];
        Tensor exponents = full([k], -0.5 * k * k / (Cutoff * Cutoff), device: device);
        Tensor row = tensor(centers, dtype: ScalarType.Float32, device: device);
        var functions = new RadialFunctions(row, gaussian ? exponents : null, Cutoff, 0);
        using CudaTimer? timer = device.type == DeviceType.CUDA ? new CudaTimer(Math.Max(device.index, 0)) : null;
        double copy = CopyRate(device, timer, o.Repeats);
        Console.WriteLine($"{o.Basis} basis, K = {k}, float32, {o.Device}; copies run at {copy / 1e9:F0} GB/s; medians of {o.Repeats}");
        foreach (int edges in o.Edges)
        {
            double[] composed = Times(OperatorMode.Composed, edges, functions, device, timer, o.Repeats);
            double[] kernels = Times(OperatorMode.Kernels, edges, functions, device, timer, o.Repeats);
            int[] bytes = [32 + 4 * k, 44 + 4 * k, 76 + 8 * k];
            string[] names = ["forward", "backward", "double backward"];
            for (int pass = 0; pass < names.Length; pass++)
            {
                double rate = (double)bytes[pass] * edges / kernels[pass];
                Console.WriteLine($"{edges,10:N0} edges, {names[pass],-16} composed {composed[pass] * 1e6,10:F1} us, "
                    + $"kernels {kernels[pass] * 1e6,10:F1} us ({composed[pass] / kernels[pass]:F2} times as fast), {rate / 1e9:F1} GB/s, {rate / copy:P0} of a copy");
            }
        }
    }

    /// <summary>Median seconds of each pass.</summary>
    private static double[] Times(OperatorMode mode, int edges, RadialFunctions functions, Device device, CudaTimer? timer, int repeats)
    {
        OperatorModes.Current = mode;
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = (rand(edges, 3, device: device) * 5 + 0.5).requires_grad_();
        double[][] times = [new double[repeats], new double[repeats], new double[repeats]];
        // The first two warm up: they compile, and fill the allocator's cache.
        for (int repeat = -2; repeat < repeats; repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor[] outputs = [], gradients = [];
            Tensor? first = null;
            Record(0, () =>
            {
                var f = RadialBasisCutoff.Of(vectors, functions);
                outputs = [f.Distances, f.Directions, f.Envelope, f.Radial];
            });
            gradients = [.. outputs.Select(t => ones_like(t).requires_grad_())];
            Tensor cotangent = ones_like(vectors);
            Record(1, () => first = autograd.grad(outputs, [vectors], gradients, retain_graph: true, create_graph: true)[0]);
            Record(2, () => autograd.grad([first!], [vectors, .. gradients], [cotangent]));
            AutogradFunction.ThrowIfFailed();

            void Record(int pass, Action action)
            {
                double seconds = Seconds(timer, action);
                if (repeat >= 0) times[pass][repeat] = seconds;
            }
        }
        return [.. times.Select(Median)];
    }

    /// <summary>Bytes read and written a second by a large copy.</summary>
    private static double CopyRate(Device device, CudaTimer? timer, int repeats)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor from = ones(1 << 24, device: device), to = zeros_like(from);
        return 2.0 * 4 * (1 << 24) / Median([.. Enumerable.Range(0, repeats).Select(_ => Seconds(timer, () => to.copy_(from)))]);
    }

    private static double Seconds(CudaTimer? timer, Action action)
    {
        timer?.Start();
        long start = Stopwatch.GetTimestamp();
        action();
        return (timer?.Stop() ?? Stopwatch.GetElapsedTime(start)).TotalSeconds;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
