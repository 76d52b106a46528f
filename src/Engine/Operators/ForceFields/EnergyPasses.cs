using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Kernels.Radial;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>A network of a shape that its weights tell, with what is no tensor.</summary>
/// <param name="Radial">Basis and cutoff function.</param>
/// <param name="Interactions">Layers.</param>
/// <param name="Epsilon">Added to squared norms; of PaiNN alone.</param>
internal sealed record EnergySettings(RadialSettings Radial, int Interactions, double Epsilon = 0)
{
    public static EnergySettings Of(in RadialFunctions functions, int interactions, double epsilon = 0) =>
        new(new RadialSettings(functions.Exponents is not null, functions.Cutoff, functions.Power), interactions, epsilon);
}

/// <summary>What a network is evaluated on.</summary>
/// <param name="Blocks">Its frames and pairs.</param>
/// <param name="AtomicNumbers">(atoms) rows of the element table</param>
internal sealed record EnergyGraph(FrameBlocks Blocks, long[] AtomicNumbers);

/// <summary>
/// The passes of a network at one number type and vector width. With E the sum of the atoms' energies e and G = dE/dr by the pairs' vectors r, both
/// are outputs. For a scalar S of them the backward pass runs tangents along v = dS/dG: dS is that of sum of (dS/de) e + dE(r + t v)/dt, where the
/// gradient by a tangent is what the first reverse pass found.
/// </summary>
internal interface IEnergyPasses
{
    /// <param name="inputs">r, centers, exponents or null, weights.</param>
    /// <param name="keep">Whether a backward pass may follow.</param>
    /// <returns>e (atoms), G (pairs, 3); what is kept</returns>
    (Tensor Energies, Tensor ByVectors, Tensor[] Kept) Forward(Tensor?[] inputs, bool keep);

    /// <param name="inputs">As before.</param>
    /// <param name="kept">By the forward pass.</param>
    /// <param name="byEnergies">(atoms) dS/de; null: zero</param>
    /// <param name="along">(pairs, 3) dS/dG; null: zero</param>
    /// <returns>By the weights; null by everything else.</returns>
    Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor? byEnergies, Tensor? along);
}

/// <summary>What networks have in common: the frames, the radial basis, the element table, the head, and how a pass goes over blocks.</summary>
internal abstract unsafe class EnergyPasses<TLanes, T> : IEnergyPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Places of the inputs that all networks have.</summary>
    protected const int Vectors = 0, Centers = 1, Exponents = 2, Table = 3;

    /// <summary>Pairs whose filters are made at once.</summary>
    protected const int ChunkPairs = 64;

    private readonly EnergyGraph graph;
    private readonly long byTable;
    private DenseLayer hidden = null!, energy = null!;

    protected EnergyPasses(EnergySettings settings, EnergyGraph graph, Tensor?[] inputs)
    {
        (Settings, this.graph) = (settings, graph);
        Features = (int)inputs[Table]!.size(1);
        Radial = new PairRadial(settings.Radial, Numbers(inputs[Centers]!), inputs[Exponents] is { } exponents ? Numbers(exponents) : null);
        byTable = Sums.Reserve(inputs[Table]!.numel());
        Sums.Assign(Table, byTable, Features, (int)inputs[Table]!.size(0), Features);
        Elements = (int)inputs[Table]!.size(0);
    }

    protected EnergySettings Settings { get; }

    protected FrameBlocks Blocks => graph.Blocks;

    protected PairRadial Radial { get; }

    protected ParameterSums Sums { get; } = new();

    /// <summary>F</summary>
    protected int Features { get; }

    protected int Layers => Settings.Interactions;

    /// <summary>Width of the head's hidden layer.</summary>
    protected int HeadWidth => hidden.Outputs;

    private int Elements { get; }

    public (Tensor Energies, Tensor ByVectors, Tensor[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        foreach (long number in graph.AtomicNumbers)
            if ((ulong)number >= (ulong)Elements) throw new ArgumentOutOfRangeException(nameof(inputs), number, $"outside a table of {Elements} elements");
        Tensor vectors = inputs[Vectors]!;
        Tensor energies = empty(Blocks.Atoms, dtype: vectors.dtype), byVectors = empty(Blocks.Pairs, 3, dtype: vectors.dtype);
        // A tensor a block: the C library returns larger pieces of memory to the system, which clears them each time.
        Tensor[] kept = [empty(Sums.Turned, dtype: vectors.dtype), .. Blocks.Blocks.Select(b => empty(Kept(b), dtype: vectors.dtype))];
        using TensorMemory ofVectors = new(vectors), ofEnergies = new(energies), ofBy = new(byVectors);
        T* r = (T*)ofVectors.Address, e = (T*)ofEnergies.Address, by = (T*)ofBy.Address;
        nint[] places = Addresses(kept);
        var weights = new WeightRows<T>(Addresses(inputs), (T*)places[0]);
        Turn(weights);
        TorchThreads.For(Blocks.Blocks.Length, b =>
        {
            FrameBlock block = Blocks.Blocks[b];
            using Workspace workspace = Workspace.Rent(ForwardRoom(block));
            ForwardBlock(block, weights, (T*)places[b + 1], r, e, by, workspace);
        });
        GC.KeepAlive(inputs);
        GC.KeepAlive(kept);
        if (keep) return (energies, byVectors, kept);
        foreach (Tensor t in kept) t.Dispose();
        return (energies, byVectors, []);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor? byEnergies, Tensor? along)
    {
        using TensorMemory ofEnergies = new(byEnergies), ofAlong = new(along);
        T* g = (T*)ofEnergies.Address, v = (T*)ofAlong.Address;
        nint[] places = Addresses(kept);
        var weights = new WeightRows<T>(Addresses(inputs), (T*)places[0]);
        long size = Sums.Numbers;
        int blocks = Blocks.Blocks.Length, shares = Blocks.Shares(size * sizeof(T));
        using Workspace sums = Workspace.Rent(Workspace.Size<T>(shares * size));
        T* first = sums.Take<T>(shares * size);
        TorchThreads.For(shares, share =>
        {
            T* own = first + share * size;
            Unsafe.InitBlock(own, 0, checked((uint)(size * sizeof(T))));
            int from = (int)((long)blocks * share / shares), to = (int)((long)blocks * (share + 1) / shares);
            for (int b = from; b < to; b++)
            {
                FrameBlock block = Blocks.Blocks[b];
                using Workspace workspace = Workspace.Rent(BackwardRoom(block));
                BackwardBlock(block, weights, (T*)places[b + 1], g, v, own, workspace);
            }
        });
        var results = new Tensor?[inputs.Length];
        Sums.Gather<TLanes, T>(first, shares, inputs, results);
        GC.KeepAlive(inputs);
        GC.KeepAlive(kept);
        return results;
    }

    /// <returns>Numbers that are kept of a block.</returns>
    protected abstract long Kept(in FrameBlock block);

    protected abstract void Turn(in WeightRows<T> weights);

    protected abstract nuint ForwardRoom(in FrameBlock block);

    protected abstract nuint BackwardRoom(in FrameBlock block);

    /// <summary>Energies, then the reverse pass, of a block.</summary>
    protected abstract void ForwardBlock(in FrameBlock block, in WeightRows<T> weights, T* memory, T* vectors, T* energies, T* byVectors, Workspace workspace);

    /// <summary>Tangents, then gradients by weights, of a block.</summary>
    protected abstract void BackwardBlock(in FrameBlock block, in WeightRows<T> weights, T* memory, T* byEnergies, T* along, T* share, Workspace workspace);

    /// <summary>The head, whose inputs are the last.</summary>
    protected void Head(ref int place, Tensor?[] inputs)
    {
        hidden = Sums.Layer(ref place, Features, (int)inputs[place]!.size(0));
        energy = Sums.Layer(ref place, hidden.Outputs, 1);
    }

    protected void TurnHead(in WeightRows<T> weights) => DenseRows<TLanes, T>.Turn(hidden, weights);

    protected nuint HeadRoom(int rows) => 8 * Workspace.Size<T>((long)rows * HeadWidth);

    /// <summary>Rows of the element table.</summary>
    protected void Embed(in FrameBlock block, in WeightRows<T> weights, T* x)
    {
        T* table = weights.Of(Table);
        for (int i = 0; i < block.Atoms; i++)
            Unsafe.CopyBlock(x + (long)i * Features, table + graph.AtomicNumbers[block.FirstAtom + i] * Features, (uint)(Features * sizeof(T)));
    }

    protected void AddToTable(in FrameBlock block, T* byX, T* share)
    {
        for (int i = 0; i < block.Atoms; i++)
            DenseRows<TLanes, T>.AddRows(1, Features, byX + (long)i * Features, share + byTable + graph.AtomicNumbers[block.FirstAtom + i] * Features);
    }

    /// <summary>e = w silu(W x + b) + c, and dE/dx.</summary>
    /// <param name="rows">Atoms.</param>
    /// <param name="weights">All.</param>
    /// <param name="x">(rows, F)</param>
    /// <param name="u">(rows, head) W x + b, written</param>
    /// <param name="energies">(rows), written</param>
    /// <param name="byX">(rows, F), written</param>
    /// <param name="workspace">Of the block.</param>
    protected void HeadForward(int rows, in WeightRows<T> weights, T* x, T* u, T* energies, T* byX, Workspace workspace)
    {
        int h = HeadWidth;
        long count = (long)rows * h;
        T* value = workspace.Take<T>(count), slope = workspace.Take<T>(count), w = weights.Of(energy.Weight);
        T* copy = workspace.Take<T>(count), bend = workspace.Take<T>(count);
        DenseRows<TLanes, T>.Values(hidden, weights, rows, x, copy);
        Unsafe.CopyBlock(u, copy, (uint)(count * sizeof(T)));
        ActivationRows<Silu<TLanes, T>, TLanes, T>.All(count, copy, value, slope, bend);
        T constant = *weights.Of(energy.Bias);
        for (int r = 0; r < rows; r++)
        {
            T sum = T.Zero;
            T* v = value + (long)r * h, s = slope + (long)r * h;
            for (int c = 0; c < h; c++)
            {
                sum += v[c] * w[c];
                s[c] *= w[c];
            }
            energies[r] = sum + constant;
        }
        DenseRows<TLanes, T>.Back(hidden, weights, rows, slope, byX);
    }

    /// <summary>The head's gradients by its weights, and by x.</summary>
    /// <param name="rows">Atoms.</param>
    /// <param name="weights">All.</param>
    /// <param name="x">(rows, F)</param>
    /// <param name="xDot">(rows, F) tangents</param>
    /// <param name="kept">(rows, head) W x + b</param>
    /// <param name="g">(rows) dS/de; null: zero</param>
    /// <param name="byX">(rows, F), written</param>
    /// <param name="share">Gradients by weights, added to.</param>
    /// <param name="workspace">Of the block.</param>
    protected void HeadBackward(int rows, in WeightRows<T> weights, T* x, T* xDot, T* kept, T* g, T* byX, T* share, Workspace workspace)
    {
        int h = HeadWidth;
        long count = (long)rows * h;
        T* value = workspace.Take<T>(count), slope = workspace.Take<T>(count), bend = workspace.Take<T>(count), dot = workspace.Take<T>(count);
        T* u = workspace.Take<T>(count), w = weights.Of(energy.Weight), byW = share + energy.ByWeight;
        Unsafe.CopyBlock(u, kept, (uint)(count * sizeof(T)));
        DenseRows<TLanes, T>.Tangents(hidden, weights, rows, xDot, dot);
        ActivationRows<Silu<TLanes, T>, TLanes, T>.All(count, u, value, slope, bend);
        for (int r = 0; r < rows; r++)
        {
            T up = g == null ? T.Zero : g[r];
            T* v = value + (long)r * h, s = slope + (long)r * h, b = bend + (long)r * h, d = dot + (long)r * h;
            share[energy.ByBias] += up;
            for (int c = 0; c < h; c++)
            {
                byW[c] += up * v[c] + s[c] * d[c];
                b[c] = w[c] * (up * s[c] + b[c] * d[c]);
                s[c] *= w[c];
            }
        }
        DenseRows<TLanes, T>.AddGradients(hidden, rows, bend, x, share);
        DenseRows<TLanes, T>.AddOuter(hidden, rows, slope, xDot, share);
        DenseRows<TLanes, T>.Back(hidden, weights, rows, bend, byX);
    }

    private static double[] Numbers(Tensor values)
    {
        using Tensor wide = values.to(ScalarType.Float64);
        return [.. wide.data<double>()];
    }

    private static nint[] Addresses(Tensor?[] inputs)
    {
        var addresses = new nint[inputs.Length];
        for (int i = 0; i < addresses.Length; i++)
        {
            using var memory = new TensorMemory(inputs[i]);
            addresses[i] = memory.Address;
        }
        return addresses;
    }
}

/// <summary>Which vectors passes are made of.</summary>
internal static class EnergyLanes
{
    /// <summary>Whether passes take such inputs: on the CPU, of one number type, the geometry and basis held fixed.</summary>
    /// <param name="inputs">Of the pass.</param>
    /// <param name="held">How many of them, the first ones, are no weights.</param>
    public static bool Fit(Tensor?[] inputs, int held = 3)
    {
        Tensor vectors = inputs[0]!;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not { } t) continue;
            if (t.dtype != vectors.dtype || t.device_type != TorchSharp.DeviceType.CPU || (i < held && t.requires_grad)) return false;
        }
        return true;
    }

    /// <returns>Lanes that divide these widths; 0: none do.</returns>
    public static int Dividing(ScalarType type, params ReadOnlySpan<long> widths)
    {
        if (!Vector256.IsHardwareAccelerated || type is not (ScalarType.Float32 or ScalarType.Float64)) return 0;
        int bytes = type == ScalarType.Float32 ? 4 : 8;
        int most = (Vector512.IsHardwareAccelerated ? 64 : 32) / bytes;
        while (most > 32 / bytes && !Divides(most, widths)) most /= 2;
        return Divides(most, widths) ? most : 0;

        static bool Divides(int lanes, ReadOnlySpan<long> all)
        {
            foreach (long width in all)
                if (width % lanes != 0) return false;
            return true;
        }
    }
}

/// <summary>Pieces of one tensor's memory, or of none while they are only counted.</summary>
internal unsafe struct Pieces<T>(T* memory)
    where T : unmanaged
{
    private T* next = memory;

    public long Numbers { get; private set; }

    /// <summary>Rows of a block's atoms, found by their places in the batch.</summary>
    public T* Rows(in FrameBlock block, long width)
    {
        T* piece = Take(block.Atoms * width);
        return piece == null ? null : piece - block.FirstAtom * width;
    }

    public T* Take(long count)
    {
        long rounded = (count + 15) / 16 * 16;
        Numbers += rounded;
        T* piece = next;
        if (next != null) next += rounded;
        return piece;
    }
}
