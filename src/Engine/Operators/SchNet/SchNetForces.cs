using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// SchNet without a graph. With h = ssp(phi W1^T + b1) a filter is W = (f h) W2^T + f b2, and its derivative by distance the same product of
/// f' h + f h': no filter's gradient is ever formed. What atoms of one element send first is the same, and a table.
/// </summary>
internal sealed unsafe class SchNetForces<TLanes, T> : ForcePasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Layer[] layers;
    private readonly int filterWidth;
    private readonly T* table; // (elements, n)

    public SchNetForces(SchNetForceWeights model)
        : base(model.Shared, enveloped: false)
    {
        int features = (int)model.Shared.Elements.size(1), filters = (int)model.Layers[0].Input.size(0), elements = (int)model.Shared.Elements.size(0);
        filterWidth = ForceWeights<TLanes, T>.Whole(filters);
        layers = [.. model.Layers.Select(w => new Layer
        {
            Input = Weights.Dense(w.Input, filters, features),
            Filter1 = Weights.Radial(w.Filter1, w.Filter1Bias, filters, [0]),
            Filter2 = Weights.Dense(w.Filter2, filters, filters),
            Filter2Bias = Weights.Vector(w.Filter2Bias, filters),
            Output1 = Weights.Dense(w.Output1, features, filters),
            Output1Bias = Weights.Vector(w.Output1Bias, features),
            Output2 = Weights.Dense(w.Output2, features, features),
            Output2Bias = Weights.Vector(w.Output2Bias, features),
        })];
        table = Weights.Take((long)elements * filterWidth);
        Forward(elements, layers[0].Input, Elements, table);
    }

    protected override nuint Bytes(in PairRows<T> frame, bool gradients)
    {
        var count = new Pieces(null);
        Lay(frame, gradients, ref count);
        return count.Bytes;
    }

    protected override double Energy(in PairRows<T> frame, bool gradients, Workspace workspace)
    {
        var pieces = new Pieces(workspace);
        Memory at = Lay(frame, gradients, ref pieces);
        int atoms = frame.Atoms, width = Width, n = filterWidth;
        for (int i = 0; i < atoms; i++) Copy(Elements + (long)frame.Numbers[i] * width, width, at.Features + (long)i * width);
        for (int l = 0; l < layers.Length; l++)
        {
            Layer layer = layers[l];
            T* sent = at.Sent + (long)atoms * n * l, slopes = at.Slopes + (long)atoms * width * l;
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                if (l > 0) Forward(count, layer.Input, at.Features + (long)b * width, sent + (long)b * n);
                else for (int i = b; i < b + count; i++) Copy(table + (long)frame.Numbers[i] * n, n, sent + (long)i * n);
            }
            Clear(at.Messages, (long)atoms * n);
            for (int p = 0; p < frame.Pairs; p += Chunk)
            {
                Filters(frame, at, l, p, gradients && at.KeepsFilters, out T* filters, out T* _);
                Send(frame, p, Math.Min(Chunk, frame.Pairs - p), filters, sent, at.Messages);
            }
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                T* features = at.Features + (long)b * width;
                Forward(count, layer.Output1, at.Messages + (long)b * n, at.Inner);
                Softplus(count, width, at.Inner, layer.Output1Bias.At, slopes + (long)b * width);
                AddRow(count, width, layer.Output2Bias.At, features);
                Forward(count, layer.Output2, at.Inner, features, add: true);
            }
        }
        double energy = Head(atoms, at.Features, at.Inner, gradients ? at.ByFeatures : null);
        for (int l = gradients ? layers.Length - 1 : -1; l >= 0; l--)
        {
            Layer layer = layers[l];
            T* sent = at.Sent + (long)atoms * n * l, slopes = at.Slopes + (long)atoms * width * l;
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                Backward(count, layer.Output2, at.ByFeatures + (long)b * width, at.Inner);
                Multiply((long)count * width, at.Inner, slopes + (long)b * width);
                Backward(count, layer.Output1, at.Inner, at.Messages + (long)b * n);
            }
            if (l > 0) Clear(at.BySent, (long)atoms * n);
            for (int p = 0; p < frame.Pairs; p += Chunk)
            {
                Filters(frame, at, l, p, true, out T* filters, out T* filterSlopes, computed: at.KeepsFilters);
                Reverse(frame, p, Math.Min(Chunk, frame.Pairs - p), filters, filterSlopes, sent, at.Messages, l > 0 ? at.BySent : null);
            }
            for (int b = 0; l > 0 && b < atoms; b += Block)
                Backward(Math.Min(Block, atoms - b), layer.Input, at.BySent + (long)b * n, at.ByFeatures + (long)b * width, add: true);
        }
        return energy;
    }

    /// <summary>A chunk's filters, and their derivatives by distance where these are asked for.</summary>
    /// <param name="frame">The pairs.</param>
    /// <param name="at">Where they go.</param>
    /// <param name="l">Layer.</param>
    /// <param name="start">First pair of the chunk.</param>
    /// <param name="derivatives">Whether they are asked for.</param>
    /// <param name="filters">(rows, n)</param>
    /// <param name="slopes">(rows, n)</param>
    /// <param name="computed">Whether both are there already.</param>
    private void Filters(in PairRows<T> frame, in Memory at, int l, int start, bool derivatives, out T* filters, out T* slopes, bool computed = false)
    {
        int n = filterWidth, rows = Math.Min(Chunk, frame.Rows - start);
        long offset = at.KeepsFilters ? ((long)l * frame.Rows + start) * n : 0;
        filters = at.Filters + offset;
        slopes = at.FilterSlopes + offset;
        if (computed) return;
        Layer layer = layers[l];
        int* windows = frame.Windows + 2 * (start / RadialRows<TLanes, T>.Group);
        Functions.Multiply(rows, frame.Radial + (long)start * Functions.Stride, windows, layer.Filter1.At, n, at.Hidden);
        if (derivatives) Functions.Multiply(rows, frame.RadialSlopes + (long)start * Functions.Stride, windows, layer.Filter1.At, n, at.HiddenSlopes);
        Hidden(rows, frame.Envelope + start, frame.EnvelopeSlopes + start, layer.Filter2Bias.At, at.Hidden, derivatives ? at.HiddenSlopes : null, filters, slopes);
        Forward(rows, layer.Filter2, at.Hidden, filters, add: true);
        if (derivatives) Forward(rows, layer.Filter2, at.HiddenSlopes, slopes, add: true);
    }

    /// <summary>Of z and z': f h and f' h + f h', with f b2 and f' b2 to begin the products with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Hidden(int rows, T* envelope, T* envelopeSlopes, T* bias, T* z, T* zSlopes, T* filters, T* slopes)
    {
        int n = filterWidth;
        for (int r = 0; r < rows; r++, z += n, filters += n, zSlopes = zSlopes == null ? null : zSlopes + n, slopes += n)
        {
            TLanes f = TLanes.All(envelope[r]), change = TLanes.All(envelopeSlopes[r]);
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes x = TLanes.Load(z + c), h = Softplus(x), b = TLanes.Load(bias + c);
                TLanes.Store(z + c, f * h);
                TLanes.Store(filters + c, f * b);
                if (zSlopes == null) continue;
                TLanes.Store(zSlopes + c, TLanes.Fma(change, h, f * Sigmoid(x) * TLanes.Load(zSlopes + c)));
                TLanes.Store(slopes + c, change * b);
            }
        }
    }

    /// <summary>m_i += W y_j, and m_j += W y_i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Send(in PairRows<T> frame, int start, int count, T* filters, T* sent, T* messages)
    {
        int n = filterWidth;
        for (int p = start; p < start + count; p++, filters += n)
        {
            T* yi = sent + (long)frame.First[p] * n, yj = sent + (long)frame.Second[p] * n, mi = messages + (long)frame.First[p] * n, mj = messages + (long)frame.Second[p] * n;
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes w = TLanes.Load(filters + c);
                TLanes.Store(mi + c, TLanes.Fma(w, TLanes.Load(yj + c), TLanes.Load(mi + c)));
                TLanes.Store(mj + c, TLanes.Fma(w, TLanes.Load(yi + c), TLanes.Load(mj + c)));
            }
        }
    }

    /// <summary>Of <see cref="Send"/>: sums of the derivative by distance, and by what was sent unless nobody asks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Reverse(in PairRows<T> frame, int start, int count, T* filters, T* slopes, T* sent, T* byMessages, T* bySent)
    {
        int n = filterWidth;
        for (int p = start; p < start + count; p++, filters += n, slopes += n)
        {
            long i = (long)frame.First[p] * n, j = (long)frame.Second[p] * n;
            T* yi = sent + i, yj = sent + j, gi = byMessages + i, gj = byMessages + j, hi = bySent + i, hj = bySent + j;
            TLanes along = TLanes.Zero;
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes a = TLanes.Load(gi + c), b = TLanes.Load(gj + c);
                along = TLanes.Fma(TLanes.Load(slopes + c), TLanes.Fma(TLanes.Load(yi + c), b, TLanes.Load(yj + c) * a), along);
                if (bySent == null) continue;
                TLanes w = TLanes.Load(filters + c);
                TLanes.Store(hj + c, TLanes.Fma(w, a, TLanes.Load(hj + c)));
                TLanes.Store(hi + c, TLanes.Fma(w, b, TLanes.Load(hi + c)));
            }
            frame.Gradients[4L * p] += TLanes.Sum(along);
        }
    }

    /// <summary>x = ssp(x + bias), and its derivative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Softplus(int rows, int width, T* x, T* bias, T* slopes)
    {
        for (int r = 0; r < rows; r++, x += width, slopes += width)
        {
            for (int c = 0; c < width; c += TLanes.Count)
            {
                TLanes z = TLanes.Load(x + c) + TLanes.Load(bias + c);
                TLanes.Store(x + c, Softplus(z));
                TLanes.Store(slopes + c, Sigmoid(z));
            }
        }
    }

    /// <summary>ln(1 + e^x) - ln 2, of the larger of x and 0 first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Softplus(TLanes x)
    {
        TLanes most = TLanes.Max(x, TLanes.Zero), e = TLanes.Exp(x - most - most);
        return most + (TLanes.Log(TLanes.All(T.One) + e) - TLanes.All(T.CreateTruncating(0.69314718055994531)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(int rows, int width, T* row, T* to)
    {
        for (int r = 0; r < rows; r++, to += width)
            for (int c = 0; c < width; c += TLanes.Count) TLanes.Store(to + c, TLanes.Load(to + c) + TLanes.Load(row + c));
    }

    private Memory Lay(in PairRows<T> frame, bool gradients, ref Pieces pieces)
    {
        long features = (long)frame.Atoms * Width, sent = (long)frame.Atoms * filterWidth, chunk = (long)Math.Min(Chunk, frame.Rows) * filterWidth;
        long filters = (long)layers.Length * frame.Rows * filterWidth;
        bool keep = gradients && KeepsFilters(2 * filters);
        return new Memory
        {
            KeepsFilters = keep,
            Features = pieces.Take<T>(features),
            Inner = pieces.Take<T>((long)Math.Min(Block, frame.Atoms) * Math.Max(Width, InnerWidth)),
            Sent = pieces.Take<T>(sent * layers.Length),
            Messages = pieces.Take<T>(sent),
            Slopes = pieces.Take<T>(features * layers.Length),
            Hidden = pieces.Take<T>(chunk),
            HiddenSlopes = pieces.Take<T>(gradients ? chunk : 0),
            Filters = pieces.Take<T>(keep ? filters : chunk),
            FilterSlopes = pieces.Take<T>(keep ? filters : gradients ? chunk : 0),
            ByFeatures = pieces.Take<T>(gradients ? features : 0),
            BySent = pieces.Take<T>(gradients ? sent : 0),
        };
    }

    private sealed class Layer
    {
        public DenseWeights<T> Input { get; init; }

        public VectorWeights<T> Filter1 { get; init; }

        public DenseWeights<T> Filter2 { get; init; }

        public VectorWeights<T> Filter2Bias { get; init; }

        public DenseWeights<T> Output1 { get; init; }

        public VectorWeights<T> Output1Bias { get; init; }

        public DenseWeights<T> Output2 { get; init; }

        public VectorWeights<T> Output2Bias { get; init; }
    }

    /// <summary>Messages hold their own gradient on the way back.</summary>
    private struct Memory
    {
        public bool KeepsFilters;
        public T* Features, Inner, Sent, Messages, Slopes, Hidden, HiddenSlopes, Filters, FilterSlopes, ByFeatures, BySent;
    }
}

/// <summary>A SchNet's weights, as its layers have them. Tensors stay the caller's.</summary>
/// <param name="Shared">What it shares with its kin.</param>
/// <param name="Layers">In their order.</param>
internal sealed record SchNetForceWeights(RadialForceWeights Shared, IReadOnlyList<SchNetLayerWeights> Layers)
{
    /// <returns>null where there are no such passes.</returns>
    public IForcePasses? Passes() => Shared.Lanes switch
    {
        0 => null,
        16 => new SchNetForces<SingleLanes16, float>(this),
        8 when Shared.Elements.dtype == ScalarType.Float32 => new SchNetForces<SingleLanes8, float>(this),
        8 => new SchNetForces<DoubleLanes8, double>(this),
        _ => new SchNetForces<DoubleLanes4, double>(this),
    };
}

/// <summary>A layer's weights.</summary>
/// <param name="Input">(n, F)</param>
/// <param name="Filter1">(n, K), and its bias (n)</param>
/// <param name="Filter1Bias">See <paramref name="Filter1"/>.</param>
/// <param name="Filter2">(n, n)</param>
/// <param name="Filter2Bias">(n)</param>
/// <param name="Output1">(F, n)</param>
/// <param name="Output1Bias">(F)</param>
/// <param name="Output2">(F, F)</param>
/// <param name="Output2Bias">(F)</param>
internal sealed record SchNetLayerWeights(
    Tensor Input, Tensor Filter1, Tensor Filter1Bias, Tensor Filter2, Tensor Filter2Bias, Tensor Output1, Tensor Output1Bias, Tensor Output2, Tensor Output2Bias);
