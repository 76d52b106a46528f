using System.Diagnostics;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// PaiNN's message and mixing: forward, backward and double backward time for each form, and nanoseconds an edge or atom. Options: atoms
/// neighbors features radial device threads.
/// </summary>
internal static class PaiNNBenchmark
{
    public static void Run(string[] args)
    {
        int Option(int at, int fallback) => args.Length > at ? int.Parse(args[at]) : fallback;
        int atoms = Option(0, 2000), neighbors = Option(1, 18), features = Option(2, 128), radial = Option(3, 20);
        Device place = device(args.Length > 4 ? args[4] : "cpu");
        set_num_threads(Option(5, get_num_threads()));
        using DisposeScope scope = NewDisposeScope();
        using EdgeList edges = Ring(atoms, neighbors, place);
        Tensor x = Make(atoms, 3 * features), mu = Make(atoms, 3, features), u = Make(edges.Count, 3);
        Tensor basis = Make(edges.Count, radial + 1), filter = Make(3 * features, radial + 1);
        Tensor mixed = Make(atoms, 3, 2 * features), q = Make(atoms, features);
        OperatorMode[] modes = place.type == DeviceType.CUDA
            ? [OperatorMode.Composed, OperatorMode.Kernels]
            : [OperatorMode.Composed, OperatorMode.Host, OperatorMode.Kernels];
        foreach (OperatorMode mode in modes)
        {
            OperatorModes.Current = mode;
            // Each edge for itself, as kernels take them.
            var pairs = new PaiNNPairs(edges, u, basis);
            Time("message", edges.Count, [x, mu, u, basis, filter], () => Pair(PaiNNMessage.Apply(x, mu, pairs, filter)));
            Time("invariants", atoms, [mixed], () => Pair(PaiNNInvariants.Apply(mixed, 1e-8)));
            Time("update", atoms, [q, mu, x, mixed], () => Pair(PaiNNUpdate.Apply(q, mu, x, q, mixed)));
        }

        Tensor Make(params long[] shape) => randn(shape, device: place).requires_grad_();
    }

    private static Tensor[] Pair((Tensor First, Tensor Second) outputs) => [outputs.First, outputs.Second];

    /// <summary>Each atom has its nearest in a ring for neighbours.</summary>
    private static EdgeList Ring(int atoms, int neighbors, Device place)
    {
        int[] starts = [.. Enumerable.Range(0, atoms + 1).Select(i => i * neighbors)];
        int[] senders = [.. Enumerable.Range(0, atoms * neighbors).Select(e => (e / neighbors + e % neighbors + 1) % atoms)];
        return new EdgeList(starts, senders, device: place);
    }

    private static void Time(string name, int items, Tensor[] inputs, Func<Tensor[]> operation)
    {
        double[] best = [double.MaxValue, double.MaxValue, double.MaxValue];
        for (int repeat = 0; repeat < 20; repeat++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor[] outputs = [];
            IList<Tensor> gradients = [];
            Measure(0, () => outputs = operation());
            Tensor[] ahead = [.. outputs.Select(o => ones_like(o).requires_grad_())];
            Measure(1, () => gradients = autograd.grad(outputs, inputs, ahead, retain_graph: true, create_graph: true, allow_unused: true));
            // A filter's gradient is not differentiated in training on forces.
            Tensor[] used = [.. gradients.Where((g, i) => g is { IsInvalid: false, requires_grad: true } && i < 4)];
            Tensor[] along = [.. used.Select(t => ones_like(t))];
            Measure(2, () => autograd.grad(used, [.. inputs, .. ahead], along, allow_unused: true));
            AutogradFunction.ThrowIfFailed();
        }
        // The least disturbed repeat: other work on the machine only ever adds.
        string[] passes = ["forward", "backward", "double"];
        IEnumerable<string> times = best.Zip(passes, (t, pass) => $"{pass} {t / 1e6,8:F3} ms ({t / items:F1} ns)");
        Console.WriteLine($"{name,-10} {OperatorModes.Current,-8} {string.Join(", ", times)}");

        void Measure(int pass, Action work)
        {
            Synchronize(inputs[0]);
            long start = Stopwatch.GetTimestamp();
            work();
            Synchronize(inputs[0]);
            best[pass] = Math.Min(best[pass], Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
    }

    private static void Synchronize(Tensor tensor)
    {
        if (tensor.device_type == DeviceType.CUDA) cuda.synchronize(tensor.device);
    }
}
