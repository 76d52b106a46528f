using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Radial;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Forces;

/// <summary>
/// Energies of frames and, by a reverse pass written by hand, their derivatives by positions and strain: a force field whose weights were laid out
/// once, and stay as they are while this lives. What it gives for a frame depends on that frame alone.
/// </summary>
internal interface IForcePasses : IDisposable
{
    void Evaluate(FramePairs frames, ForceSums sums);
}

/// <summary>What passes give; of null arrays nobody asked.</summary>
/// <param name="Energies">(frames) eV</param>
/// <param name="Forces">(atoms, 3) eV/A</param>
/// <param name="StrainGradients">(frames, 3, 3) eV, by symmetric strain</param>
internal sealed record ForceSums(double[] Energies, double[]? Forces, double[]? StrainGradients);

/// <summary>What force fields of radial filters have in common. Tensors stay the caller's.</summary>
/// <param name="Radial">Basis and cutoff function.</param>
/// <param name="Elements">(elements, F) the first features of an atom.</param>
/// <param name="Hidden">The head: (H, F), (H), (1, H), (1).</param>
/// <param name="HiddenBias">See <paramref name="Hidden"/>.</param>
/// <param name="Energy">See <paramref name="Hidden"/>.</param>
/// <param name="EnergyBias">See <paramref name="Hidden"/>.</param>
/// <param name="References">(elements) eV, float64</param>
internal sealed record RadialForceWeights(
    RadialFunctions Radial, Tensor Elements, Tensor Hidden, Tensor HiddenBias, Tensor Energy, Tensor EnergyBias, Tensor References)
{
    /// <summary>Lanes of passes over such weights; 0: there are none.</summary>
    public int Lanes => !Vector256.IsHardwareAccelerated || Elements.device_type != TorchSharp.DeviceType.CPU ? 0 : Elements.dtype switch
    {
        ScalarType.Float32 => Vector512.IsHardwareAccelerated ? 16 : 8,
        ScalarType.Float64 => Vector512.IsHardwareAccelerated ? 8 : 4,
        _ => 0,
    };
}

/// <summary>Takes pieces of a workspace; without one it counts what they take.</summary>
internal unsafe ref struct Pieces(Workspace? workspace)
{
    public nuint Bytes { get; private set; }

    public T* Take<T>(long count)
        where T : unmanaged
    {
        Bytes += Workspace.Size<T>(count);
        return workspace is null ? null : workspace.Take<T>(count);
    }
}

/// <summary>A frame's pairs as passes take them: in chunks, by distance within each, filled up to whole groups of rows by rows of zeros.</summary>
internal unsafe struct PairRows<T>
    where T : unmanaged
{
    public int Atoms, Pairs, Rows;

    /// <summary>(atoms)</summary>
    public int* Numbers;

    /// <summary>(pairs)</summary>
    public int* First, Second, Source;

    /// <summary>(pairs, 4) unit vector from first to second; distance</summary>
    public T* Directions;

    /// <summary>(rows, 1 + K)</summary>
    public T* Radial, RadialSlopes;

    /// <summary>(rows) the cutoff function</summary>
    public T* Envelope, EnvelopeSlopes;

    /// <summary>(rows / group, 2)</summary>
    public int* Windows;

    /// <summary>(pairs, 4) derivatives of the energy by distance and by direction: sums, from zero.</summary>
    public T* Gradients;
}

/// <summary>Frames, geometry, head: what <see cref="IForcePasses"/> of models with radial filters share.</summary>
internal abstract unsafe class ForcePasses<TLanes, T> : IForcePasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Pairs whose filters stay in the second-level cache between product and messages: a multiple of the rows of a group.</summary>
    protected const int Chunk = 96;

    /// <summary>Atoms of which the same holds.</summary>
    protected const int Block = 48;

    // Filters of a frame that take no more are kept for its reverse pass.
    private const long MostKept = 8 << 20;

    private readonly double[] references;
    private readonly DenseWeights<T> hidden;
    private readonly T* hiddenBias, energy;
    private readonly double energyBias;
    private readonly bool enveloped;

    /// <param name="model">Copied.</param>
    /// <param name="enveloped">Whether the cutoff function is a factor of the radial rows.</param>
    protected ForcePasses(RadialForceWeights model, bool enveloped)
    {
        this.enveloped = enveloped;
        int features = (int)model.Elements.size(1);
        Width = ForceWeights<TLanes, T>.Whole(features);
        Functions = new RadialRows<TLanes, T>(model.Radial, Weights);
        int inner = (int)model.Hidden.size(0);
        hidden = Weights.Dense(model.Hidden, inner, features);
        hiddenBias = Weights.Vector(model.HiddenBias, inner).At;
        energy = Weights.Vector(model.Energy, inner).At;
        using (Tensor bias = model.EnergyBias.detach().to(ScalarType.Float64)) energyBias = bias.item<double>();
        Elements = Weights.Take(model.Elements.size(0) * Width);
        using (Tensor table = model.Elements.detach().contiguous())
        {
            using TensorMemory memory = new(table);
            for (int z = 0; z < model.Elements.size(0); z++)
                new ReadOnlySpan<T>((T*)memory.Address + (long)z * features, features).CopyTo(new Span<T>(Elements + (long)z * Width, features));
        }
        using TensorMemory energies = new(model.References);
        references = MemoryMarshal.Cast<byte, double>(energies.Bytes).ToArray();
    }

    /// <summary>F, filled up.</summary>
    protected int Width { get; }

    protected ForceWeights<TLanes, T> Weights { get; } = new();

    protected RadialRows<TLanes, T> Functions { get; }

    /// <summary>(elements, F)</summary>
    protected T* Elements { get; }

    public void Evaluate(FramePairs frames, ForceSums sums) => TorchThreads.For(frames.Frames, f => Evaluate(frames, f, sums));

    public void Dispose()
    {
        Weights.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Bytes of what a frame takes of a workspace.</summary>
    protected abstract nuint Bytes(in PairRows<T> frame, bool gradients);

    /// <summary>The network: the energy of a frame, and sums of <see cref="PairRows{T}.Gradients"/>.</summary>
    protected abstract double Energy(in PairRows<T> frame, bool gradients, Workspace workspace);

    protected static bool KeepsFilters(long numbers) => numbers * sizeof(T) <= MostKept;

    protected static void Forward(int rows, in DenseWeights<T> w, T* x, T* y, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, w.Outputs, w.Inputs, x, w.Inputs, w.Forward, w.Outputs, y, w.Outputs, add);

    protected static void Backward(int rows, in DenseWeights<T> w, T* byOutputs, T* byInputs, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, w.Inputs, w.Outputs, byOutputs, w.Outputs, w.Backward, w.Inputs, byInputs, w.Inputs, add);

    /// <summary>Rows that are all the same.</summary>
    protected static void Repeat(int rows, T* row, int width, T* to)
    {
        var values = new ReadOnlySpan<T>(row, width);
        for (int r = 0; r < rows; r++) values.CopyTo(new Span<T>(to + (long)r * width, width));
    }

    protected static void Copy(T* from, long count, T* to) => Buffer.MemoryCopy(from, to, count * sizeof(T), count * sizeof(T));

    protected static void Clear(T* values, long count) => NativeMemory.Clear(values, (nuint)(count * sizeof(T)));

    /// <summary>x = silu(x + bias), and its derivative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected static void Silu(int rows, int width, T* x, T* bias, T* slopes)
    {
        for (int r = 0; r < rows; r++, x += width, slopes += width)
        {
            for (int c = 0; c < width; c += TLanes.Count)
            {
                TLanes h = TLanes.Load(x + c) + TLanes.Load(bias + c), s = Sigmoid(h), a = h * s;
                TLanes.Store(x + c, a);
                TLanes.Store(slopes + c, TLanes.Fma(s, TLanes.All(T.One) - a, a));
            }
        }
    }

    /// <summary>x times y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected static void Multiply(long count, T* x, T* y)
    {
        for (long i = 0; i < count; i += TLanes.Count) TLanes.Store(x + i, TLanes.Load(x + i) * TLanes.Load(y + i));
    }

    /// <summary>1 / (1 + e^-x), no less than 2^-63.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static TLanes Sigmoid(TLanes x)
    {
        TLanes e = TLanes.Exp(TLanes.Min(TLanes.Zero - x, TLanes.All(T.CreateTruncating(-Kernels.Maths.Negligible.Exponent))));
        return TLanes.Reciprocal(TLanes.All(T.One) + e);
    }

    /// <summary>The sum of the atoms' energies by the head, without references.</summary>
    /// <param name="atoms">N</param>
    /// <param name="features">(N, F)</param>
    /// <param name="inner">(block, H) room</param>
    /// <param name="byFeatures">(N, F) gets the derivative; null: nobody asked.</param>
    protected double Head(int atoms, T* features, T* inner, T* byFeatures)
    {
        double sum = 0;
        for (int b = 0; b < atoms; b += Block)
        {
            int count = Math.Min(Block, atoms - b);
            Forward(count, hidden, features + (long)b * Width, inner);
            sum += Head(count, inner);
            if (byFeatures != null) Backward(count, hidden, inner, byFeatures + (long)b * Width);
        }
        return sum;
    }

    /// <summary>Numbers of the head's layer, filled up.</summary>
    protected int InnerWidth => hidden.Outputs;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Head(int count, T* inner)
    {
        double sum = 0;
        for (int i = 0; i < count; i++, inner += hidden.Outputs)
        {
            TLanes e = TLanes.Zero;
            for (int c = 0; c < hidden.Outputs; c += TLanes.Count)
            {
                TLanes h = TLanes.Load(inner + c) + TLanes.Load(hiddenBias + c), s = Sigmoid(h), a = h * s, w = TLanes.Load(energy + c);
                e = TLanes.Fma(a, w, e);
                TLanes.Store(inner + c, TLanes.Fma(s, TLanes.All(T.One) - a, a) * w);
            }
            sum += double.CreateTruncating(TLanes.Sum(e)) + energyBias;
        }
        return sum;
    }

    private void Evaluate(FramePairs all, int f, ForceSums sums)
    {
        bool gradients = sums.Forces is not null || sums.StrainGradients is not null;
        var frame = new PairRows<T> { Atoms = all.AtomStarts[f + 1] - all.AtomStarts[f], Pairs = all.PairStarts[f + 1] - all.PairStarts[f] };
        frame.Rows = (frame.Pairs + RadialRows<TLanes, T>.Group - 1) / RadialRows<TLanes, T>.Group * RadialRows<TLanes, T>.Group;
        var count = new Pieces(null);
        Lay(ref frame, ref count);
        using Workspace workspace = Workspace.Rent(count.Bytes + Bytes(frame, gradients));
        var pieces = new Pieces(workspace);
        Lay(ref frame, ref pieces);
        all.Numbers.AsSpan(all.AtomStarts[f], frame.Atoms).CopyTo(new Span<int>(frame.Numbers, frame.Atoms));
        Measure(all, all.PairStarts[f], frame);
        double total = Energy(frame, gradients, workspace);
        for (int i = 0; i < frame.Atoms; i++) total += references[frame.Numbers[i]];
        sums.Energies[f] = total;
        if (gradients) Gather(all, f, frame, sums);
    }

    private void Lay(ref PairRows<T> frame, ref Pieces pieces)
    {
        frame.Numbers = pieces.Take<int>(frame.Atoms);
        frame.First = pieces.Take<int>(frame.Pairs);
        frame.Second = pieces.Take<int>(frame.Pairs);
        frame.Source = pieces.Take<int>(frame.Pairs);
        frame.Directions = pieces.Take<T>(4L * frame.Pairs);
        frame.Radial = pieces.Take<T>(Functions.Room(frame.Rows));
        frame.RadialSlopes = pieces.Take<T>(Functions.Room(frame.Rows));
        frame.Envelope = pieces.Take<T>(frame.Rows);
        frame.EnvelopeSlopes = pieces.Take<T>(frame.Rows);
        frame.Windows = pieces.Take<int>(2L * frame.Rows / RadialRows<TLanes, T>.Group);
        frame.Gradients = pieces.Take<T>(4L * frame.Pairs);
    }

    /// <summary>Distances, directions and radial rows; sums of gradients are zero.</summary>
    private void Measure(FramePairs all, int start, in PairRows<T> frame)
    {
        const int Group = RadialRows<TLanes, T>.Group;
        Span<double> distances = stackalloc double[Chunk];
        int stride = Functions.Stride;
        for (int p0 = 0; p0 < frame.Pairs; p0 += Chunk)
        {
            int n = Math.Min(Chunk, frame.Pairs - p0);
            var source = new Span<int>(frame.Source + p0, n);
            for (int p = 0; p < n; p++)
            {
                ReadOnlySpan<double> v = all.Vectors.AsSpan(3 * (start + p0 + p), 3);
                distances[p] = Math.Sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
                source[p] = start + p0 + p;
            }
            distances[..n].Sort(source);
            for (int p = 0; p < n; p++)
            {
                int row = p0 + p;
                ReadOnlySpan<double> v = all.Vectors.AsSpan(3 * source[p], 3);
                double d = distances[p], reciprocal = 1 / d;
                (frame.First[row], frame.Second[row]) = (all.First[source[p]], all.Second[source[p]]);
                T* u = frame.Directions + 4L * row;
                for (int k = 0; k < 3; k++) u[k] = T.CreateTruncating(v[k] * reciprocal);
                u[3] = T.CreateTruncating(d);
                (double f, double slope) = Functions.Envelope(d);
                frame.Envelope[row] = T.CreateTruncating(f);
                frame.EnvelopeSlopes[row] = T.CreateTruncating(slope);
                if (!enveloped) (f, slope) = (1, 0);
                Functions.Fill(d, f, slope, frame.Radial + (long)row * stride, frame.RadialSlopes + (long)row * stride);
                if (p % Group == 0) (frame.Windows[2 * (row / Group)], frame.Windows[2 * (row / Group) + 1]) = Functions.Window(d, distances[Math.Min(p + Group, n) - 1]);
            }
        }
        long beyond = (long)(frame.Rows - frame.Pairs) * stride;
        Clear(frame.Radial + (long)frame.Pairs * stride, beyond);
        Clear(frame.RadialSlopes + (long)frame.Pairs * stride, beyond);
        Clear(frame.Envelope + frame.Pairs, frame.Rows - frame.Pairs);
        Clear(frame.EnvelopeSlopes + frame.Pairs, frame.Rows - frame.Pairs);
        Clear(frame.Gradients, 4L * frame.Pairs);
    }

    /// <summary>Derivatives by pairs' vectors, to atoms and strain.</summary>
    private static void Gather(FramePairs all, int f, in PairRows<T> frame, ForceSums sums)
    {
        Span<double> forces = sums.Forces is null ? default : sums.Forces.AsSpan(3 * all.AtomStarts[f], 3 * frame.Atoms);
        Span<double> s = stackalloc double[9];
        s.Clear();
        for (int row = 0; row < frame.Pairs; row++)
        {
            T* gradient = frame.Gradients + 4L * row;
            ReadOnlySpan<double> v = all.Vectors.AsSpan(3 * frame.Source[row], 3);
            double reciprocal = 1 / Math.Sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
            double ux = v[0] * reciprocal, uy = v[1] * reciprocal, uz = v[2] * reciprocal, along = double.CreateTruncating(gradient[0]);
            double gx = double.CreateTruncating(gradient[1]), gy = double.CreateTruncating(gradient[2]), gz = double.CreateTruncating(gradient[3]);
            // The direction turns with what of the vector's change is at right angles to it.
            along -= (gx * ux + gy * uy + gz * uz) * reciprocal;
            (gx, gy, gz) = (along * ux + gx * reciprocal, along * uy + gy * reciprocal, along * uz + gz * reciprocal);
            if (forces.Length > 0)
            {
                int i = 3 * frame.First[row], j = 3 * frame.Second[row];
                (forces[i], forces[i + 1], forces[i + 2]) = (forces[i] + gx, forces[i + 1] + gy, forces[i + 2] + gz);
                (forces[j], forces[j + 1], forces[j + 2]) = (forces[j] - gx, forces[j + 1] - gy, forces[j + 2] - gz);
            }
            (s[0], s[4], s[8]) = (s[0] + gx * v[0], s[4] + gy * v[1], s[8] + gz * v[2]);
            (s[1], s[2], s[5]) = (s[1] + (gx * v[1] + gy * v[0]) / 2, s[2] + (gx * v[2] + gz * v[0]) / 2, s[5] + (gy * v[2] + gz * v[1]) / 2);
        }
        (s[3], s[6], s[7]) = (s[1], s[2], s[5]);
        if (sums.StrainGradients is not null) s.CopyTo(sums.StrainGradients.AsSpan(9 * f, 9));
    }
}
