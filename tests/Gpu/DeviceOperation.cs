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

/// <summary>How large the cases of operations are.</summary>
internal enum CaseSize
{
    Small,

    /// <summary>Few rows, as wide as models have them: what the tables of counters take.</summary>
    Counted,
    Full,
}

internal static class CaseSizes
{
    public static T Of<T>(this CaseSize size, T small, T counted, T full) => size switch
    {
        CaseSize.Small => small,
        CaseSize.Counted => counted,
        _ => full,
    };
}

/// <summary>An operation with kernels, on inputs that are all differentiated, on whichever device and of whichever number type they are.</summary>
/// <param name="name">Of the test case.</param>
/// <param name="inputs">float64 on the CPU.</param>
/// <param name="secondByKernels">Whether its second derivatives are kernels too; else they are composed of library operations.</param>
internal abstract class DeviceOperation(string name, Tensor[] inputs, bool secondByKernels) : IDisposable
{
    /// <summary>Each operation by name; a small one takes no longer than is bearable where every memory access is watched.</summary>
    public static readonly IReadOnlyDictionary<string, Func<CaseSize, DeviceOperation>> All = new Dictionary<string, Func<CaseSize, DeviceOperation>>
    {
        ["radial, Gaussians"] = size => new Radial(size, gaussian: true, power: 0),
        ["radial, Bessel functions"] = size => new Radial(size, gaussian: false, power: 6),
        ["radial, Gaussians in a polynomial"] = size => new Radial(size, gaussian: true, power: 6),
        ["radial, Bessel functions in a cosine"] = size => new Radial(size, gaussian: false, power: 0),
        ["radial, 5 Gaussians"] = size => new Radial(size, gaussian: true, power: 0, few: true),
        ["radial, 5 Bessel functions"] = size => new Radial(size, gaussian: false, power: 6, few: true),
        ["radial, 5 Gaussians in a polynomial"] = size => new Radial(size, gaussian: true, power: 6, few: true),
        ["radial, 5 Bessel functions in a cosine"] = size => new Radial(size, gaussian: false, power: 0, few: true),
        ["SchNet's convolution"] = size => new Filter(size),
        ["PaiNN's message"] = size => new Message(size, size.Of(8, 128, 64), vectors: true),
        ["PaiNN's message, 7 wide"] = size => new Message(size, 7, vectors: true),
        ["PaiNN's message, 21 wide"] = size => new Message(size, 21, vectors: true),
        ["PaiNN's message, 32 wide"] = size => new Message(size, 32, vectors: true),
        ["PaiNN's first message"] = size => new Message(size, size.Of(8, 128, 64), vectors: false),
        ["PaiNN's invariants"] = size => new Invariants(size, size.Of(16, 256, 128)),
        ["PaiNN's invariants, 7 wide"] = size => new Invariants(size, 14),
        ["PaiNN's update"] = size => new Update(size, size.Of(8, 128, 64)),
        ["PaiNN's update, 7 wide"] = size => new Update(size, 7),
        ["Allegro's product"] = size => new Product(size, size.Of(4, 16, 16)),
        ["Allegro's product, 5 wide"] = size => new Product(size, 5),
        ["attention"] = size => new Heads(size, 8, 0),
        ["attention, heads of one number"] = size => new Heads(size, 1, 5),
        ["attention, heads of 2 numbers"] = size => new Heads(size, 2, 0),
        ["attention, heads of 4 numbers"] = size => new Heads(size, 4, 0),
        ["attention, heads of 16 numbers"] = size => new Heads(size, 16, 0),
        ["attention, heads of 32 numbers"] = size => new Heads(size, 32, 0),
        ["attention, heads of 64 numbers"] = size => new Heads(size, 64, 0),
        ["attention, heads of 128 numbers"] = size => new Heads(size, 128, 0),
        ["layer norm"] = size => new Norm(size, size.Of(20, 128, 128)),
        ["layer norm, 21 wide"] = size => new Norm(size, 21),
        ["linear and GELU"] = size => new Gelu(size, 4 * size.Of(8, 128, 64)),
        ["linear and GELU, 21 wide"] = size => new Gelu(size, 21),
        ["cross-entropy"] = size => new Loss(size, size.Of(32, 684, 684)),
        ["cross-entropy, 51 tokens"] = size => new Loss(size, 51),
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

        protected static int[] Degrees(CaseSize size) =>
            size.Of([2, 0, 5, 1], Enumerable.Repeat(18, 8).ToArray(), [0, 17, 1, 0, 32, 1, 63, 5, 40, 8, 0, .. Enumerable.Repeat(18, 100)]);

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

    private sealed class Radial(CaseSize size, bool gaussian, int power, bool few = false) : DeviceOperation("radial", [Vectors(size.Of(37, 1_000, 3_000))], true)
    {
        private const double Cutoff = 5;

        public override Tensor[] Apply(Tensor[] inputs)
        {
            int count = few ? 5 : size.Of(8, 20, 20);
            // Whole multiples of a power of two: the same in float32.
            double[] centers = [.. Enumerable.Range(1, count).Select(k => k / 4.0)];
            // A copy is aligned, as an array of this program need not be.
            Tensor row = tensor(centers, dtype: inputs[0].dtype, device: inputs[0].device).clone();
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

    private sealed class Filter(CaseSize size) : OnEdges("filter", Degrees(size), Make(Degrees(size), size.Of(12, 128, 64), size.Of(5, 20, 20)))
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

    private sealed class Message(CaseSize size, int width, bool vectors) : OnEdges("message", Degrees(size), Make(Degrees(size), width, size.Of(5, 21, 21), vectors))
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

    private sealed class Invariants(CaseSize size, int width) : DeviceOperation("invariants", [Normal(1, size.Of(4, 64, 100), 3, width)], true)
    {
        public override Tensor[] Apply(Tensor[] inputs)
        {
            (Tensor norm, Tensor product) = PaiNNInvariants.Apply(inputs[0], 1e-2);
            return [norm, product];
        }
    }

    private sealed class Update(CaseSize size, int width) : DeviceOperation("update", Make(size.Of(4, 64, 100), width), true)
    {
        public override Tensor[] Apply(Tensor[] x)
        {
            (Tensor scalars, Tensor vectors) = PaiNNUpdate.Apply(x[0], x[1], x[2], x[3], x[4]);
            return [scalars, vectors];
        }

        private static Tensor[] Make(int atoms, int f) =>
            [Normal(1, atoms, f), Normal(2, atoms, 3, f), Normal(3, atoms, 3 * f), Normal(4, atoms, f), Normal(5, atoms, 3, 2 * f)];
    }

    private sealed class Product(CaseSize size, int channels) : OnEdges("product", Degrees(size), Make(Degrees(size), Paths(size), channels))
    {
        private readonly Dictionary<(DeviceType, ScalarType), TensorProductTable> tables = [];

        public override Tensor[] Apply(Tensor[] x)
        {
            if (!tables.TryGetValue((x[0].device_type, x[0].dtype), out TensorProductTable? table))
                tables[(x[0].device_type, x[0].dtype)] = table = Paths(size).Table(x[0].dtype, x[0].device);
            return [AllegroTensorProduct.Apply(x[0], x[1], Edges(x[0]), table)];
        }

        public override void Dispose()
        {
            foreach (TensorProductTable table in tables.Values) table.Dispose();
            base.Dispose();
        }

        private static AllegroPaths Paths(CaseSize size) => AllegroPaths.Plan(size.Of(1, 2, 2), 2)[0];

        private static Tensor[] Make(int[] degrees, AllegroPaths paths, int channels)
        {
            using TensorProductTable shape = paths.Table(ScalarType.Float64);
            return [Normal(1, degrees.Sum(), shape.Left, channels), Normal(2, degrees.Length, shape.Right, channels)];
        }
    }

    private sealed class Heads(CaseSize size, int headWidth, int window)
        : DeviceOperation("attention", [Normal(1, Starts(size)[^1], 3 * Count(size, headWidth) * headWidth)], false)
    {
        private readonly Dictionary<DeviceType, PackedRows> rows = [];

        public override Tensor[] Apply(Tensor[] inputs)
        {
            if (!rows.TryGetValue(inputs[0].device_type, out PackedRows? packed)) rows[inputs[0].device_type] = packed = new PackedRows(Starts(size));
            return [Attention.Apply(inputs[0], packed, Count(size, headWidth), window, 0.5)];
        }

        public override void Dispose()
        {
            foreach (PackedRows packed in rows.Values) packed.Dispose();
            base.Dispose();
        }

        private static int Count(CaseSize size, int headWidth) => size.Of(2, Math.Clamp(128 / headWidth, 1, 16), 16);

        private static int[] Starts(CaseSize size) => size.Of<int[]>([0, 1, 10], [0, 37, 74, 111], [0, 1, 38, 70, 71, 180]);
    }

    private sealed class Norm(CaseSize size, int width) : DeviceOperation("norm", Make(size.Of(5, 256, 592), width), false)
    {
        public override Tensor[] Apply(Tensor[] x) => [LayerNorm.Apply(x[0], x[1], x[2], 1e-5)];

        private static Tensor[] Make(int rows, int width) => [Normal(1, rows, width) * 2 + 0.5, Normal(2, width), Normal(3, width)];
    }

    private sealed class Gelu(CaseSize size, int outputs) : DeviceOperation("gelu", Make(size.Of(5, 128, 592), size.Of(8, 128, 64), outputs), false)
    {
        public override Tensor[] Apply(Tensor[] x) => [LinearGelu.Apply(x[0], x[1], x[2])];

        private static Tensor[] Make(int rows, int width, int outputs) => [Normal(1, rows, width), Normal(2, outputs, width) / 8, Normal(3, outputs)];
    }

    private sealed class Loss(CaseSize size, int tokens) : DeviceOperation("loss", [Normal(1, size.Of(5, 128, 592), tokens) * 2], false)
    {
        public override Tensor[] Apply(Tensor[] x)
        {
            Tensor numbers = arange(x[0].size(0), dtype: ScalarType.Int64, device: x[0].device);
            Tensor targets = (numbers * 7).remainder(x[0].size(1)).masked_fill(numbers.remainder(5).eq(3), CrossEntropy.Ignored);
            return [CrossEntropy.Apply(x[0], targets)];
        }
    }
}
