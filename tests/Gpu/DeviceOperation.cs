using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.SchNet;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Operators.SelfAttention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>An operation with kernels, on inputs that are all differentiated, on whichever device and of whichever number type they are.</summary>
/// <param name="name">Of the test case.</param>
/// <param name="inputs">float64 on the CPU.</param>
/// <param name="secondByKernels">Whether its second derivatives are kernels too; else they are composed of library operations.</param>
internal abstract class DeviceOperation(string name, Tensor[] inputs, bool secondByKernels) : IDisposable
{
    /// <summary>Each operation by name; a small one takes no longer than is bearable where every memory access is watched.</summary>
    public static readonly IReadOnlyDictionary<string, Func<bool, DeviceOperation>> All = new Dictionary<string, Func<bool, DeviceOperation>>
    {
        ["radial, Gaussians"] = small => new Radial(small, gaussian: true, power: 0),
        ["radial, Bessel functions"] = small => new Radial(small, gaussian: false, power: 6),
        ["SchNet's convolution"] = small => new Filter(small),
        ["PaiNN's message"] = small => new Message(small, small ? 8 : 64, vectors: true),
        ["PaiNN's message, 7 wide"] = small => new Message(small, 7, vectors: true),
        ["PaiNN's first message"] = small => new Message(small, small ? 8 : 64, vectors: false),
        ["PaiNN's invariants"] = small => new Invariants(small, small ? 16 : 128),
        ["PaiNN's invariants, 7 wide"] = small => new Invariants(small, 14),
        ["PaiNN's update"] = small => new Update(small, small ? 8 : 64),
        ["PaiNN's update, 7 wide"] = small => new Update(small, 7),
        ["Allegro's product"] = small => new Product(small, small ? 4 : 16),
        ["Allegro's product, 5 wide"] = small => new Product(small, 5),
        ["attention"] = small => new Heads(small, 8, 0),
        ["attention, heads of one number"] = small => new Heads(small, 1, 5),
        ["attention, heads of 16 numbers"] = small => new Heads(small, 16, 0),
        ["attention, heads of 32 numbers"] = small => new Heads(small, 32, 0),
        ["attention, heads of 64 numbers"] = small => new Heads(small, 64, 0),
        ["attention, heads of 128 numbers"] = small => new Heads(small, 128, 0),
        ["layer norm"] = small => new Norm(small, small ? 20 : 128),
        ["layer norm, 21 wide"] = small => new Norm(small, 21),
        ["linear and GELU"] = small => new Gelu(small),
        ["cross-entropy"] = small => new Loss(small),
    };

    public Tensor[] Inputs { get; } = [.. inputs.Select(t => t.DetachFromDisposeScope())];

    public bool SecondByKernels => secondByKernels;

    /// <summary>Inputs whose gradients are differentiated once more. Training on forces needs none of those by weights, and kernels do without.</summary>
    public virtual IReadOnlyList<int> Along => [.. Enumerable.Range(0, Inputs.Length)];

    public abstract Tensor[] Apply(Tensor[] inputs);

    public virtual void Dispose()
    {
        foreach (Tensor input in Inputs) input.Dispose();
    }

    public override string ToString() => name;

    /// <summary>Normal numbers that float32 holds exactly.</summary>
    public static Tensor Normal(ulong seed, params long[] shape)
    {
        using Generator generator = new(seed);
        return randn(shape, dtype: ScalarType.Float32, generator: generator).to(ScalarType.Float64);
    }

    /// <summary>Operations on edges, whose indices must be where the inputs are.</summary>
    private abstract class OnEdges(string name, int[] degrees, Tensor[] inputs) : DeviceOperation(name, inputs, true)
    {
        private readonly Dictionary<DeviceType, EdgeList> edges = [];

        protected static int[] Degrees(bool small) => small ? [2, 0, 5, 1] : [0, 17, 1, 0, 32, 1, 63, 5, 40, 8, 0, .. Enumerable.Repeat(18, 100)];

        public override void Dispose()
        {
            foreach (EdgeList list in edges.Values) list.Dispose();
            base.Dispose();
        }

        protected EdgeList Edges(Tensor like)
        {
            if (edges.TryGetValue(like.device_type, out EdgeList? made)) return made;
            var random = new Random(7);
            int[] senders = [.. Enumerable.Range(0, degrees.Sum()).Select(_ => random.Next(degrees.Length))];
            int[] rowStarts = [0, .. degrees.Select((_, i) => degrees[..(i + 1)].Sum())];
            return edges[like.device_type] = new EdgeList(rowStarts, senders, device: like.device);
        }
    }

    private sealed class Radial(bool small, bool gaussian, int power) : DeviceOperation("radial", [Vectors(small ? 37 : 3_000)], true)
    {
        private const double Cutoff = 5;

        public override Tensor[] Apply(Tensor[] inputs)
        {
            int count = small ? 6 : 20;
            // Whole multiples of a power of two: the same in float32.
            double[] centers = [.. Enumerable.Range(1, count).Select(k => k / 4.0)];
            Tensor row = tensor(centers, dtype: inputs[0].dtype, device: inputs[0].device);
            var f = RadialBasisCutoff.Of(inputs[0], new RadialFunctions(row, gaussian ? full_like(row, -8) : null, Cutoff, power));
            return [f.Distances, f.Directions, f.Envelope, f.Radial];
        }

        /// <summary>Of lengths from 0.2 A to beyond the cutoff.</summary>
        private static Tensor Vectors(int count)
        {
            Tensor directions = Normal(3, count, 3);
            Tensor lengths = linspace(0.2, 1.2 * Cutoff, count, dtype: ScalarType.Float64).view(-1, 1);
            return (directions / directions.norm(1, keepdim: true) * lengths).to(ScalarType.Float32).to(ScalarType.Float64);
        }
    }

    private sealed class Filter(bool small) : OnEdges("filter", Degrees(small), Make(Degrees(small), small ? 12 : 64, small ? 5 : 20))
    {
        public override IReadOnlyList<int> Along => [0, 1, 2];

        public override Tensor[] Apply(Tensor[] x)
        {
            EdgeList edges = Edges(x[0]);
            return [ContinuousFilter.Apply(x[0], new EdgeFeatures(edges, edges.OneWay, null!, null!, null!, x[1], x[2]), x[3], x[4], x[5], x[6])];
        }

        private static Tensor[] Make(int[] degrees, int n, int k) =>
        [
            Normal(1, degrees.Length, n), Normal(2, degrees.Sum(), k), Normal(3, degrees.Sum(), 1), Normal(4, n, k), Normal(5, n),
            Normal(6, n, n) / 8, Normal(7, n),
        ];
    }

    private sealed class Message(bool small, int width, bool vectors) : OnEdges("message", Degrees(small), Make(Degrees(small), width, small ? 5 : 21, vectors))
    {
        public override IReadOnlyList<int> Along => vectors ? [0, 1, 2, 4] : [0, 1, 2];

        public override Tensor[] Apply(Tensor[] x)
        {
            (Tensor scalars, Tensor along) = PaiNNMessage.Apply(x[0], vectors ? x[4] : null, new PaiNNPairs(Edges(x[0]), x[1], x[2]), x[3]);
            return [scalars, along];
        }

        private static Tensor[] Make(int[] degrees, int f, int k, bool vectors)
        {
            Tensor[] always = [Normal(1, degrees.Length, 3 * f), Normal(2, degrees.Sum(), 3), Normal(3, degrees.Sum(), k), Normal(4, 3 * f, k)];
            return vectors ? [.. always, Normal(5, degrees.Length, 3, f)] : always;
        }
    }

    private sealed class Invariants(bool small, int width) : DeviceOperation("invariants", [Normal(1, small ? 4 : 100, 3, width)], true)
    {
        public override Tensor[] Apply(Tensor[] inputs)
        {
            (Tensor norm, Tensor product) = PaiNNInvariants.Apply(inputs[0], 1e-2);
            return [norm, product];
        }
    }

    private sealed class Update(bool small, int width) : DeviceOperation("update", Make(small ? 4 : 100, width), true)
    {
        public override Tensor[] Apply(Tensor[] x)
        {
            (Tensor scalars, Tensor vectors) = PaiNNUpdate.Apply(x[0], x[1], x[2], x[3], x[4]);
            return [scalars, vectors];
        }

        private static Tensor[] Make(int atoms, int f) =>
            [Normal(1, atoms, f), Normal(2, atoms, 3, f), Normal(3, atoms, 3 * f), Normal(4, atoms, f), Normal(5, atoms, 3, 2 * f)];
    }

    private sealed class Product(bool small, int channels) : OnEdges("product", Degrees(small), Make(Degrees(small), Paths(small), channels))
    {
        private readonly Dictionary<(DeviceType, ScalarType), TensorProductTable> tables = [];

        public override Tensor[] Apply(Tensor[] x)
        {
            if (!tables.TryGetValue((x[0].device_type, x[0].dtype), out TensorProductTable? table))
                tables[(x[0].device_type, x[0].dtype)] = table = Paths(small).Table(x[0].dtype, x[0].device);
            return [AllegroTensorProduct.Apply(x[0], x[1], Edges(x[0]), table)];
        }

        public override void Dispose()
        {
            foreach (TensorProductTable table in tables.Values) table.Dispose();
            base.Dispose();
        }

        private static AllegroPaths Paths(bool small) => AllegroPaths.Plan(small ? 1 : 2, 2)[0];

        private static Tensor[] Make(int[] degrees, AllegroPaths paths, int channels)
        {
            using TensorProductTable shape = paths.Table(ScalarType.Float64);
            return [Normal(1, degrees.Sum(), shape.Left, channels), Normal(2, degrees.Length, shape.Right, channels)];
        }
    }

    private sealed class Heads(bool small, int headWidth, int window)
        : DeviceOperation("attention", [Normal(1, Starts(small)[^1], 3 * Count(small) * headWidth)], false)
    {
        private readonly Dictionary<DeviceType, PackedRows> rows = [];

        public override Tensor[] Apply(Tensor[] inputs)
        {
            if (!rows.TryGetValue(inputs[0].device_type, out PackedRows? packed)) rows[inputs[0].device_type] = packed = new PackedRows(Starts(small));
            return [Attention.Apply(inputs[0], packed, Count(small), window, 0.5)];
        }

        public override void Dispose()
        {
            foreach (PackedRows packed in rows.Values) packed.Dispose();
            base.Dispose();
        }

        private static int Count(bool small) => small ? 2 : 16;

        private static int[] Starts(bool small) => small ? [0, 1, 10] : [0, 1, 38, 70, 71, 180];
    }

    private sealed class Norm(bool small, int width) : DeviceOperation("norm", Make(small ? 5 : 592, width), false)
    {
        public override Tensor[] Apply(Tensor[] x) => [LayerNorm.Apply(x[0], x[1], x[2], 1e-5)];

        private static Tensor[] Make(int rows, int width) => [Normal(1, rows, width) * 2 + 0.5, Normal(2, width), Normal(3, width)];
    }

    private sealed class Gelu(bool small) : DeviceOperation("gelu", Make(small ? 5 : 592, small ? 8 : 64), false)
    {
        public override Tensor[] Apply(Tensor[] x) => [LinearGelu.Apply(x[0], x[1], x[2])];

        private static Tensor[] Make(int rows, int width) => [Normal(1, rows, width), Normal(2, 4 * width, width) / 8, Normal(3, 4 * width)];
    }

    private sealed class Loss(bool small) : DeviceOperation("loss", [Normal(1, small ? 5 : 592, small ? 30 : 684) * 2], false)
    {
        public override Tensor[] Apply(Tensor[] x)
        {
            Tensor numbers = arange(x[0].size(0), dtype: ScalarType.Int64, device: x[0].device);
            Tensor targets = (numbers * 7).remainder(x[0].size(1)).masked_fill(numbers.remainder(5).eq(3), CrossEntropy.Ignored);
            return [CrossEntropy.Apply(x[0], targets)];
        }
    }
}
