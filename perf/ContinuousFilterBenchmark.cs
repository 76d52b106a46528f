using System.Diagnostics;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// SchNet's convolution in its three forms: the passes of a training step on forces. Options: atoms neighbours filters radial rounds
/// device. Kernels on the CPU are there to be right, not fast.
/// </summary>
internal static class ContinuousFilterBenchmark
{
    public static void Run(string[] args)
    {
        int Option(int at, int fallback) => args.Length > at ? int.Parse(args[at]) : fallback;
        int atoms = Option(0, 512), neighbors = Option(1, 18), n = Option(2, 128), k = Option(3, 20), rounds = Option(4, 20);
        using Device where = device(args.Length > 5 ? args[5] : "cpu");
        long edges = (long)atoms * neighbors;
        Console.WriteLine($"{atoms:N0} atoms, {edges:N0} edges, {n} filters, {k} radial functions, {where}, best of {rounds}");
        // Multiplications and additions of the filter network alone: forward; backward, with the weights' gradients; double backward.
        double dense = 2.0 * n * n, thin = 2.0 * n * k;
        double[] flops = [edges * (dense + thin), edges * (3 * dense + 3 * thin), edges * (8 * dense + 7 * thin)];
        foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Composed, OperatorMode.Host, OperatorMode.Kernels])
        {
            OperatorModes.Current = mode;
            double[] best = Time(Inputs(atoms, neighbors, n, k, where), rounds, where);
            for (int pass = 0; pass < best.Length; pass++)
            {
                string name = pass switch { 0 => "forward", 1 => "backward", _ => "double backward" };
                double s = best[pass];
                Console.WriteLine(
                    $"{mode,-9} {name,-16} {s * 1e3,9:F2} ms {edges / s / 1e6,9:F2} M edges/s {flops[pass] / s / 1e9,9:F1} GFLOP/s");
            }
        }
    }

    private static double[] Time((EdgeList Edges, Tensor[] X) problem, int rounds, Device where)
    {
        double[] best = [double.MaxValue, double.MaxValue, double.MaxValue];
        (EdgeList edges, Tensor[] x) = problem;
        for (int round = 0; round <= rounds; round++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor output = null!, slope = null!;
            var features = new EdgeFeatures(edges, edges.OneWay, null!, null!, null!, x[1], x[2]);
            Least(0, () => output = ContinuousFilter.Apply(x[0], features, x[3], x[4], x[5], x[6]));
            Least(1, () => slope = autograd.grad([output.square().sum()], x[..3], retain_graph: true, create_graph: true)
                .Select(t => t.square().sum()).Aggregate((a, b) => a + b));
            Least(2, () => autograd.grad([slope], x));
            AutogradFunction.ThrowIfFailed();

            void Least(int pass, Action action)
            {
                long start = Stopwatch.GetTimestamp();
                action();
                if (where.type == DeviceType.CUDA) cuda.synchronize();
                // The first round compiles.
                if (round > 0) best[pass] = Math.Min(best[pass], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        edges.Dispose();
        return best;
    }

    /// <summary>Every atom hears its next neighbours in a ring.</summary>
    private static (EdgeList, Tensor[]) Inputs(int atoms, int neighbors, int n, int k, Device where)
    {
        int[] rowStarts = [.. Enumerable.Range(0, atoms + 1).Select(i => neighbors * i)];
        int[] senders = [.. Enumerable.Range(0, atoms * neighbors).Select(e => (e / neighbors + 1 + e % neighbors) % atoms)];
        using Generator generator = new(1, where);
        long edges = senders.Length;
        Tensor[] x = [Values(atoms, n), Values(edges, k), Values(edges, 1), Values(n, k), Values(n), Values(n, n), Values(n)];
        return (new EdgeList(rowStarts, senders, device: where), x);

        Tensor Values(params long[] shape) => (randn(shape, device: where, generator: generator) * 0.1).requires_grad_();
    }
}
