using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// SchNet's passes. A filter depends on the distance alone, so beside w = W(d) its derivative w' = dW/dd is made, by the same products: then
/// dE/dd is a sum over w', a tangent of w is w' times that of d, and no gradient goes back through a filter until weights want theirs.
/// </summary>
internal sealed unsafe class SchNetEnergyPasses<TLanes, T> : EnergyPasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int filters;
    private readonly Layer[] layers;

    public SchNetEnergyPasses(EnergySettings settings, EnergyGraph graph, Tensor?[] inputs)
        : base(settings, graph, inputs)
    {
        int place = Table + 1, f = Features, k = Radial.Columns;
        filters = (int)inputs[place]!.size(0);
        layers = new Layer[Layers];
        for (int l = 0; l < Layers; l++)
        {
            var layer = layers[l] = new Layer { Input = Sums.Layer(ref place, f, filters, bias: false), Filter1 = place };
            // The bias is one more column, of ones.
            (layer.Turned1, layer.ByFilter1) = (Sums.ReserveTurned((long)k * filters), Sums.Reserve((long)Radial.Stride * filters));
            Sums.Assign(place, layer.ByFilter1, Radial.Stride, filters, k - 1);
            Sums.Assign(place + 1, layer.ByFilter1 + k - 1, Radial.Stride, filters, 1);
            place += 2;
            layer.Filter2 = Sums.Layer(ref place, filters, filters);
            layer.Output1 = Sums.Layer(ref place, filters, f);
            layer.Output2 = Sums.Layer(ref place, f, f);
        }
        Head(ref place, inputs);
    }

    protected override long Kept(in FrameBlock block) => new Memory(this, block, null).Numbers;

    protected override void Turn(in WeightRows<T> weights)
    {
        int k = Radial.Columns;
        foreach (Layer layer in layers)
        {
            DenseRows<TLanes, T>.Turn(layer.Input, weights);
            DenseRows<TLanes, T>.Turn(layer.Filter2, weights);
            DenseRows<TLanes, T>.Turn(layer.Output1, weights);
            DenseRows<TLanes, T>.Turn(layer.Output2, weights);
            Products<TLanes, T>.Transpose(filters, k - 1, weights.Of(layer.Filter1), k - 1, weights.Turned + layer.Turned1, filters);
            Unsafe.CopyBlock(weights.Turned + layer.Turned1 + (long)(k - 1) * filters, weights.Of(layer.Filter1 + 1), (uint)(filters * sizeof(T)));
        }
        TurnHead(weights);
    }

    protected override nuint ForwardRoom(in FrameBlock block) =>
        HeadRoom(block.Atoms) + Workspace.Size<T>((long)block.Atoms * Features) + 2 * Workspace.Size<T>(2L * ChunkPairs * filters)
        + Workspace.Size<T>(block.TwoWay.Count) + Workspace.Size<T>(block.OneWay.Count);

    protected override nuint BackwardRoom(in FrameBlock block)
    {
        nuint wide = Workspace.Size<T>((long)block.Atoms * Features), inner = Workspace.Size<T>((long)block.Atoms * filters);
        return HeadRoom(block.Atoms) + (nuint)Layers * (2 * wide + 2 * inner) + 6 * wide + 2 * inner + 4 * Workspace.Size<T>(2L * ChunkPairs * filters)
            + Workspace.Size<T>(ChunkPairs);
    }

    protected override void ForwardBlock(in FrameBlock block, in WeightRows<T> weights, T* memory, T* vectors, T* energies, T* byVectors, Workspace workspace)
    {
        var kept = new Memory(this, block, memory);
        LayerMemory[] layers = kept.Layers;
        int n = block.Atoms, f = Features;
        long first = block.FirstAtom, wide = n * (long)f, inner = n * (long)filters;
        T* s = workspace.Take<T>(wide), k = workspace.Take<T>(2L * ChunkPairs * filters), scratch = workspace.Take<T>(2L * ChunkPairs * filters);
        List<PairRange> chunks = block.Chunks(ChunkPairs);
        foreach (PairRange chunk in chunks) Radial.Fill(chunk, vectors, cut: false, kept.Geometry, kept.Rows);
        Embed(block, weights, layers[0].X + first * f);
        for (int l = 0; l < Layers; l++)
        {
            LayerMemory layer = layers[l];
            T* x = layer.X + first * f, next = (l + 1 < Layers ? layers[l + 1].X : kept.Last) + first * f, m = layer.M + first * filters, z = layer.Z + first * f;
            DenseRows<TLanes, T>.Values(layer.Of.Input, weights, n, x, layer.H + first * filters);
            Clear(m, inner);
            foreach (PairRange chunk in chunks)
            {
                Filters(layer, kept, weights, chunk, k, scratch);
                SchNetRows<TLanes, T>.Forward(Span(chunk), filters, layer.W, layer.H, layer.M);
            }
            DenseRows<TLanes, T>.Values(layer.Of.Output1, weights, n, m, z);
            ActivationRows<ShiftedSoftplusLanes<TLanes, T>, TLanes, T>.Values(wide, z, s);
            Unsafe.CopyBlock(next, x, (uint)(wide * sizeof(T)));
            DenseRows<TLanes, T>.Values(layer.Of.Output2, weights, n, s, next, add: true);
        }
        HeadForward(n, weights, kept.Last + first * f, kept.Hidden + first * HeadWidth, energies + first, layers[^1].ByX + first * f, workspace);
        T* slopes = byVectors; // until the end each pair's first number is dE/dd
        foreach (PairRange chunk in chunks) Clear(slopes + 3L * chunk.First, 3L * chunk.Count);
        for (int l = Layers - 1; l >= 0; l--)
        {
            LayerMemory layer = layers[l];
            T* byX = layer.ByX + first * f, byS = layer.ByS + first * f, byH = l == 0 ? null : layer.ByH;
            DenseRows<TLanes, T>.Back(layer.Of.Output2, weights, n, byX, byS);
            ActivationRows<ShiftedSoftplusLanes<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z + first * f, byS, s);
            DenseRows<TLanes, T>.Back(layer.Of.Output1, weights, n, s, layer.ByM + first * filters);
            if (l > 0) Clear(layer.ByH + first * filters, inner);
            foreach (PairRange chunk in chunks) SchNetRows<TLanes, T>.Reverse(Span(chunk), filters, layer.W, layer.H, layer.ByM, byH, slopes);
            if (l == 0) continue;
            T* below = layers[l - 1].ByX + first * f;
            Unsafe.CopyBlock(below, byX, (uint)(wide * sizeof(T)));
            DenseRows<TLanes, T>.Back(layer.Of.Input, weights, n, layer.ByH + first * filters, below, add: true);
        }
        foreach (PairRange chunk in chunks)
        {
            for (int p = 0; p < chunk.Count; p++)
            {
                T* by = byVectors + 3L * (chunk.First + p), g = kept.Geometry + (long)PairRadial.Geometry * (chunk.Place + p);
                T slope = by[0];
                (by[0], by[1], by[2]) = (slope * g[0], slope * g[1], slope * g[2]);
            }
        }
        GC.KeepAlive(this);
        GC.KeepAlive(kept);
        GC.KeepAlive(layers);
    }

    protected override void BackwardBlock(in FrameBlock block, in WeightRows<T> weights, T* memory, T* byEnergies, T* along, T* share, Workspace workspace)
    {
        var kept = new Memory(this, block, memory);
        LayerMemory[] layers = kept.Layers;
        int n = block.Atoms, f = Features;
        long first = block.FirstAtom, wide = n * (long)f, inner = n * (long)filters, chunkNumbers = 2L * ChunkPairs * filters;
        T* xDots = workspace.Take<T>(wide * (Layers + 1)), zDots = workspace.Take<T>(wide * Layers);
        T* hDots = workspace.Take<T>(inner * Layers), mDots = workspace.Take<T>(inner * Layers);
        T* s = workspace.Take<T>(wide), sDot = workspace.Take<T>(wide), by = workspace.Take<T>(wide), byS = workspace.Take<T>(wide), byZDot = workspace.Take<T>(wide);
        T* byM = workspace.Take<T>(inner), byH = workspace.Take<T>(inner), dDot = workspace.Take<T>(ChunkPairs);
        T* k = workspace.Take<T>(chunkNumbers), slope = workspace.Take<T>(chunkNumbers), byT = workspace.Take<T>(chunkNumbers), byK = workspace.Take<T>(chunkNumbers);
        List<PairRange> chunks = block.Chunks(ChunkPairs);

        Clear(xDots, wide);
        for (int l = 0; l < Layers; l++)
        {
            LayerMemory layer = layers[l];
            T* xDot = xDots + l * wide, hDot = hDots + l * inner, mDot = mDots + l * inner, zDot = zDots + l * wide;
            if (l > 0) DenseRows<TLanes, T>.Tangents(layer.Of.Input, weights, n, xDot, hDot);
            Clear(mDot, inner);
            foreach (PairRange chunk in chunks)
            {
                DistanceTangents(kept, chunk, along, dDot);
                SchNetRows<TLanes, T>.Tangents(Span(chunk), filters, layer.W, dDot, layer.H, l == 0 ? null : hDot - first * filters, mDot - first * filters);
            }
            DenseRows<TLanes, T>.Tangents(layer.Of.Output1, weights, n, mDot, zDot);
            ActivationRows<ShiftedSoftplusLanes<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z + first * f, zDot, sDot);
            Unsafe.CopyBlock(xDot + wide, xDot, (uint)(wide * sizeof(T)));
            DenseRows<TLanes, T>.Tangents(layer.Of.Output2, weights, n, sDot, xDot + wide, add: true);
        }
        HeadBackward(n, weights, kept.Last + first * f, xDots + Layers * wide, kept.Hidden + first * HeadWidth, byEnergies == null ? null : byEnergies + first, by,
            share, workspace);
        for (int l = Layers - 1; l >= 0; l--)
        {
            LayerMemory layer = layers[l];
            T* hDot = hDots + l * inner;
            DenseRows<TLanes, T>.Back(layer.Of.Output2, weights, n, by, byS);
            T* byZ = byS;
            ActivationRows<ShiftedSoftplusLanes<TLanes, T>, TLanes, T>.Adjoints(
                wide, layer.Z + first * f, zDots + l * wide, byZ, layer.ByS + first * f, byZDot, s, sDot);
            DenseRows<TLanes, T>.AddGradients(layer.Of.Output2, n, by, s, share);
            DenseRows<TLanes, T>.AddOuter(layer.Of.Output2, n, layer.ByX + first * f, sDot, share);
            DenseRows<TLanes, T>.AddGradients(layer.Of.Output1, n, byZ, layer.M + first * filters, share);
            DenseRows<TLanes, T>.AddOuter(layer.Of.Output1, n, byZDot, mDots + l * inner, share);
            DenseRows<TLanes, T>.Back(layer.Of.Output1, weights, n, byZ, byM);
            Clear(byH, inner);
            foreach (PairRange chunk in chunks)
            {
                DistanceTangents(kept, chunk, along, dDot);
                var adjoints = new SchNetAdjoints<T>(layer.H, l == 0 ? null : hDot - first * filters, layer.ByM, byM - first * filters, byH - first * filters);
                SchNetRows<TLanes, T>.Adjoints(Span(chunk), filters, layer.W, dDot, kept.Geometry, adjoints, byT);
                FilterGradients(layer.Of, kept, weights, chunk, k, slope, byT, byK, share);
            }
            DenseRows<TLanes, T>.AddOuter(layer.Of.Input, n, byH, layer.X + first * f, share);
            if (l > 0) DenseRows<TLanes, T>.AddOuter(layer.Of.Input, n, layer.ByH + first * filters, xDots + l * wide, share);
            DenseRows<TLanes, T>.Back(layer.Of.Input, weights, n, byH, by, add: true);
        }
        AddToTable(block, by, share);
        GC.KeepAlive(this);
        GC.KeepAlive(kept);
        GC.KeepAlive(layers);
    }

    private static void Clear(T* at, long count) => NativeMemory.Clear(at, (nuint)count * (nuint)sizeof(T));

    private PairSpan Span(PairRange range) => new(Blocks.Receivers, Blocks.Senders, range);

    /// <summary>d' = u . r' of a chunk's pairs.</summary>
    private static void DistanceTangents(Memory kept, PairRange chunk, T* along, T* dDot)
    {
        for (int p = 0; p < chunk.Count; p++)
        {
            T* g = kept.Geometry + (long)PairRadial.Geometry * (chunk.Place + p), v = along + 3L * (chunk.First + p);
            dDot[p] = along == null ? T.Zero : g[0] * v[0] + g[1] * v[1] + g[2] * v[2];
        }
    }

    /// <summary>The hidden layer k and k' of a chunk's filters: s = [phi | 1] [W1 | b1]', k = ssp(s), k' = ssp'(s) s'.</summary>
    private void Hidden(Layer layer, Memory kept, in WeightRows<T> weights, PairRange chunk, T* k, T* slope)
    {
        Products<TLanes, T>.Multiply(2 * chunk.Count, filters, Radial.Columns, kept.Rows + 2L * chunk.Place * Radial.Stride, Radial.Stride,
            weights.Turned + layer.Turned1, filters, k, filters);
        SchNetRows<TLanes, T>.Hidden(chunk.Count, filters, k, slope);
    }

    /// <summary>w = (k W2' + b2) f and w' of a chunk, kept.</summary>
    private void Filters(LayerMemory layer, Memory kept, in WeightRows<T> weights, PairRange chunk, T* k, T* scratch)
    {
        T* w = layer.W + 2L * chunk.Place * filters;
        Hidden(layer.Of, kept, weights, chunk, k, scratch);
        DenseRows<TLanes, T>.Tangents(layer.Of.Filter2, weights, 2 * chunk.Count, k, w);
        SchNetRows<TLanes, T>.Cut(chunk.Count, filters, kept.Geometry + (long)PairRadial.Geometry * chunk.Place, weights.Of(layer.Of.Filter2.Bias), w);
    }

    /// <summary>Gradients by a filter network's weights, from those by t = k W2' + b2 and t'.</summary>
    private void FilterGradients(Layer layer, Memory kept, in WeightRows<T> weights, PairRange chunk, T* k, T* slope, T* byT, T* byK, T* share)
    {
        int count = chunk.Count, stride = Radial.Stride;
        Hidden(layer, kept, weights, chunk, k, slope);
        DenseRows<TLanes, T>.AddOuter(layer.Filter2, 2 * count, byT, k, share);
        DenseRows<TLanes, T>.AddRows(count, filters, byT, share + layer.Filter2.ByBias, 2 * filters);
        DenseRows<TLanes, T>.Back(layer.Filter2, weights, 2 * count, byT, byK);
        SchNetRows<TLanes, T>.ByHidden(count, filters, slope, byK);
        Products<TLanes, T>.MultiplyTransposed(
            filters, stride, 2 * count, byK, filters, kept.Rows + 2L * chunk.Place * stride, stride, share + layer.ByFilter1, stride, add: true);
    }

    /// <summary>Where an interaction's weights lie.</summary>
    private sealed class Layer
    {
        public DenseLayer Input = null!, Filter2 = null!, Output1 = null!, Output2 = null!;
        public int Filter1;
        public long Turned1, ByFilter1;
    }

    /// <summary>What is kept of a block in an interaction: values, then gradients of E by them. W: w and w' of the block's pairs.</summary>
    private sealed class LayerMemory(Layer of)
    {
        public T* X, H, M, Z, ByX, ByS, ByM, ByH, W;

        public Layer Of => of;
    }

    /// <summary>What is kept of a block.</summary>
    private sealed class Memory
    {
        public readonly T* Geometry, Rows, Last, Hidden;

        public Memory(SchNetEnergyPasses<TLanes, T> of, in FrameBlock block, T* memory)
        {
            var pieces = new Pieces<T>(memory);
            int f = of.Features, n = of.filters;
            Geometry = pieces.Take((long)block.Pairs * PairRadial.Geometry);
            Rows = pieces.Take(2L * block.Pairs * of.Radial.Stride);
            Layers = new LayerMemory[of.Layers];
            for (int l = 0; l < Layers.Length; l++)
            {
                LayerMemory layer = Layers[l] = new LayerMemory(of.layers[l]);
                layer.X = pieces.Rows(block, f);
                layer.H = pieces.Rows(block, n);
                layer.M = pieces.Rows(block, n);
                layer.Z = pieces.Rows(block, f);
                layer.ByX = pieces.Rows(block, f);
                layer.ByS = pieces.Rows(block, f);
                layer.ByM = pieces.Rows(block, n);
                if (l > 0) layer.ByH = pieces.Rows(block, n);
                layer.W = pieces.Take(2L * block.Pairs * n);
            }
            Last = pieces.Rows(block, f);
            Hidden = pieces.Rows(block, of.HeadWidth);
            Numbers = pieces.Numbers;
        }

        public LayerMemory[] Layers { get; }

        public long Numbers { get; }
    }
}
