using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// PaiNN's passes. Filters are linear in what <see cref="PairRadial"/> gives, so that w = W(d) and w' = dW/dd of a chunk of pairs are one product,
/// made again in each pass.
/// </summary>
internal sealed unsafe class PaiNNEnergyPasses<TLanes, T> : EnergyPasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Direction, and distance: gradients of E that are summed over layers.
    private const int PairSums = 4;

    private readonly Layer[] layers;

    public PaiNNEnergyPasses(EnergySettings settings, EnergyGraph graph, Tensor?[] inputs)
        : base(settings, graph, inputs)
    {
        int filter = Table + 1, place = Table + 3, f = Features, k = Radial.Columns;
        layers = new Layer[Layers];
        for (int l = 0; l < Layers; l++)
        {
            var layer = layers[l] = new Layer { Turned = Sums.ReserveTurned(3L * f * k), ByFilter = Sums.Reserve(3L * f * Radial.Stride) };
            // The bias is one more column.
            Sums.Assign(filter, layer.ByFilter, Radial.Stride, 3 * f, k - 1, to: 3L * f * l * (k - 1));
            Sums.Assign(filter + 1, layer.ByFilter + k - 1, Radial.Stride, 3 * f, 1, to: 3L * f * l);
            layer.Message1 = Sums.Layer(ref place, f, f);
            layer.Message2 = Sums.Layer(ref place, f, 3 * f);
            layer.Mix = Sums.Layer(ref place, f, 2 * f, bias: false);
            layer.Update1 = Sums.Layer(ref place, 2 * f, f);
            layer.Update2 = Sums.Layer(ref place, f, 3 * f);
        }
        Head(ref place, inputs);
    }

    protected override long Kept(in FrameBlock block) => new Memory(this, block, null).Numbers;

    protected override void Turn(in WeightRows<T> weights)
    {
        int k = Radial.Columns, wide = 3 * Features;
        for (int l = 0; l < Layers; l++)
        {
            Layer layer = layers[l];
            foreach (DenseLayer dense in layer.Dense) DenseRows<TLanes, T>.Turn(dense, weights);
            T* filter = weights.Of(Table + 1) + (long)l * wide * (k - 1), turned = weights.Turned + layer.Turned;
            Products<TLanes, T>.Transpose(wide, k - 1, filter, k - 1, turned, wide);
            Unsafe.CopyBlock(turned + (long)(k - 1) * wide, weights.Of(Table + 2) + (long)l * wide, (uint)(wide * sizeof(T)));
        }
        TurnHead(weights);
    }

    protected override nuint ForwardRoom(in FrameBlock block)
    {
        nuint wide = Workspace.Size<T>((long)block.Atoms * Features);
        return HeadRoom(block.Atoms) + 14 * wide + Workspace.Size<T>(6L * ChunkPairs * Features)
            + Workspace.Size<T>((long)PairSums * (block.TwoWay.Count + block.OneWay.Count));
    }

    protected override nuint BackwardRoom(in FrameBlock block)
    {
        nuint wide = Workspace.Size<T>((long)block.Atoms * Features);
        return HeadRoom(block.Atoms) + (nuint)Layers * 23 * wide + 38 * wide + 2 * Workspace.Size<T>(6L * ChunkPairs * Features) + Workspace.Size<T>(4L * ChunkPairs);
    }

    protected override void ForwardBlock(in FrameBlock block, in WeightRows<T> weights, T* memory, T* vectors, T* energies, T* byVectors, Workspace workspace)
    {
        var kept = new Memory(this, block, memory);
        LayerMemory[] layers = kept.Layers;
        int n = block.Atoms, f = Features;
        long first = (long)block.FirstAtom * f, wide = (long)n * f, pairs = block.TwoWay.Count + block.OneWay.Count;
        T* s = workspace.Take<T>(wide), product = workspace.Take<T>(wide), w = workspace.Take<T>(6L * ChunkPairs * f), sums = workspace.Take<T>(PairSums * pairs);
        T* byY = workspace.Take<T>(3 * wide), byContext = workspace.Take<T>(2 * wide), byMixed = workspace.Take<T>(6 * wide);
        List<PairRange> chunks = block.Chunks(ChunkPairs);
        foreach (PairRange chunk in chunks) Radial.Fill(chunk, vectors, cut: true, kept.Geometry, kept.Rows);
        Embed(block, weights, layers[0].Q + first);
        for (int l = 0; l < Layers; l++)
        {
            LayerMemory layer = layers[l];
            T* q = layer.Q + first, z1 = layer.Z1 + first, z2 = layer.Z2 + first, context = layer.Context + 2 * first, mu1 = layer.Mu1 + 3 * first;
            DenseRows<TLanes, T>.Values(layer.Of.Message1, weights, n, q, z1);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Values(wide, z1, s);
            DenseRows<TLanes, T>.Values(layer.Of.Message2, weights, n, s, layer.X + 3 * first);
            PaiNNRows<TLanes, T>.ToContext(n, f, q, context);
            if (l == 0) Clear(mu1, 3 * wide);
            else Unsafe.CopyBlock(mu1, layer.Mu + 3 * first, (uint)(3 * wide * sizeof(T)));
            foreach (PairRange chunk in chunks)
            {
                Products<TLanes, T>.Multiply(chunk.Count, 3 * f, Radial.Columns, kept.Rows + 2L * chunk.Place * Radial.Stride, 2 * Radial.Stride,
                    weights.Turned + layer.Of.Turned, 3 * f, w, 6 * f);
                PaiNNMessageRows<TLanes, T>.Forward(Span(chunk), f, w, kept.Geometry, layer.X, layer.Mu, layer.Context, layer.Mu1);
            }
            DenseRows<TLanes, T>.Values(layer.Of.Mix, weights, 3 * n, mu1, layer.Mixed + 6 * first);
            PaiNNRows<TLanes, T>.Invariants(n, f, Epsilon, layer.Mixed + 6 * first, context, product);
            DenseRows<TLanes, T>.Values(layer.Of.Update1, weights, n, context, z2);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Values(wide, z2, s);
            DenseRows<TLanes, T>.Values(layer.Of.Update2, weights, n, s, layer.Y + 3 * first);
            bool end = l + 1 == Layers;
            PaiNNRows<TLanes, T>.Update(n, f, layer.Rows(first), product, (end ? kept.Last : layers[l + 1].Q) + first, end ? null : layers[l + 1].Mu + 3 * first);
        }
        HeadForward(n, weights, kept.Last + first, kept.Hidden + (long)block.FirstAtom * HeadWidth, energies + block.FirstAtom, layers[^1].ByQ + first, workspace);

        Clear(sums, PairSums * pairs);
        for (int l = Layers - 1; l >= 0; l--)
        {
            LayerMemory layer = layers[l];
            T* byMu = layer.ByMu == null ? null : layer.ByMu + 3 * first, byMu1 = layer.ByMu1 + 3 * first, z = s;
            PaiNNRows<TLanes, T>.ByUpdate(n, f, layer.Rows(first), layer.ByQ + first, byMu, byY);
            DenseRows<TLanes, T>.Back(layer.Of.Update2, weights, n, byY, layer.ByS2 + first);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z2 + first, layer.ByS2 + first, z);
            DenseRows<TLanes, T>.Back(layer.Of.Update1, weights, n, z, byContext);
            PaiNNRows<TLanes, T>.ByContext(n, f, byContext, layer.ByQ + first, layer.ByQ1 + first, layer.ByNorm + first);
            PaiNNRows<TLanes, T>.ByMixed(n, f, layer.Rows(first), layer.ByQ + first, byMu, layer.ByNorm + first, byMixed);
            if (byMu != null) Unsafe.CopyBlock(byMu1, byMu, (uint)(3 * wide * sizeof(T)));
            DenseRows<TLanes, T>.Back(layer.Of.Mix, weights, 3 * n, byMixed, byMu1, add: byMu != null);
            T* below = l == 0 ? null : layers[l - 1].ByMu;
            if (l > 0)
            {
                Clear(layer.ByX + 3 * first, 3 * wide);
                Unsafe.CopyBlock(below + 3 * first, byMu1, (uint)(3 * wide * sizeof(T)));
            }
            T* sum = sums;
            foreach (PairRange chunk in chunks)
            {
                Filters(layer.Of, kept, weights, chunk, w);
                PaiNNMessageRows<TLanes, T>.Reverse(Span(chunk), f, w, kept.Geometry, layer.X, layer.Mu, layer.ByQ1, layer.ByMu1, layer.ByX, below, sum);
                sum += PairSums * chunk.Count;
            }
            if (l == 0) continue;
            T* byQ = layers[l - 1].ByQ + first;
            DenseRows<TLanes, T>.Back(layer.Of.Message2, weights, n, layer.ByX + 3 * first, layer.ByS1 + first);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z1 + first, layer.ByS1 + first, z);
            Unsafe.CopyBlock(byQ, layer.ByQ1 + first, (uint)(wide * sizeof(T)));
            DenseRows<TLanes, T>.Back(layer.Of.Message1, weights, n, z, byQ, add: true);
        }
        foreach (PairRange chunk in chunks)
        {
            PaiNNRows<TLanes, T>.ByVectors(chunk, kept.Geometry, sums, byVectors);
            sums += PairSums * chunk.Count;
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
        long first = (long)block.FirstAtom * f, wide = (long)n * f;
        var tangents = new PaiNNTangents<T>[Layers + 1];
        for (int l = 0; l < Layers; l++)
        {
            ref PaiNNTangents<T> t = ref tangents[l];
            t.Q = workspace.Take<T>(wide);
            t.Mu = workspace.Take<T>(3 * wide);
            t.Z1 = workspace.Take<T>(wide);
            t.X = workspace.Take<T>(3 * wide);
            t.Context = workspace.Take<T>(2 * wide);
            t.Mu1 = workspace.Take<T>(3 * wide);
            t.Mixed = workspace.Take<T>(6 * wide);
            t.Z2 = workspace.Take<T>(wide);
            t.Y = workspace.Take<T>(3 * wide);
        }
        tangents[Layers].Q = workspace.Take<T>(wide);
        T* s = workspace.Take<T>(wide), sDot = workspace.Take<T>(wide), byZDot = workspace.Take<T>(wide), byS = workspace.Take<T>(wide);
        T* w = workspace.Take<T>(6L * ChunkPairs * f), byW = workspace.Take<T>(6L * ChunkPairs * f), motion = workspace.Take<T>(4L * ChunkPairs);
        T* byQ = workspace.Take<T>(wide), byQ1 = workspace.Take<T>(wide), byNorm = workspace.Take<T>(wide), byMu = workspace.Take<T>(3 * wide);
        T* byMu1 = workspace.Take<T>(3 * wide), byX = workspace.Take<T>(3 * wide), byContext = workspace.Take<T>(2 * wide);
        T* byY = workspace.Take<T>(3 * wide), byYDot = workspace.Take<T>(3 * wide), byMixed = workspace.Take<T>(6 * wide), byMixedDot = workspace.Take<T>(6 * wide);
        List<PairRange> chunks = block.Chunks(ChunkPairs);

        for (int l = 0; l < Layers; l++)
        {
            LayerMemory layer = layers[l];
            PaiNNTangents<T> t = tangents[l];
            if (l == 0) Clear(t.Q, wide);
            else
            {
                DenseRows<TLanes, T>.Tangents(layer.Of.Message1, weights, n, t.Q, t.Z1);
                ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z1 + first, t.Z1, sDot);
                DenseRows<TLanes, T>.Tangents(layer.Of.Message2, weights, n, sDot, t.X);
            }
            PaiNNRows<TLanes, T>.ToContext(n, f, t.Q, t.Context);
            if (l == 0) Clear(t.Mu1, 3 * wide);
            else Unsafe.CopyBlock(t.Mu1, t.Mu, (uint)(3 * wide * sizeof(T)));
            foreach (PairRange chunk in chunks)
            {
                Filters(layer.Of, kept, weights, chunk, w);
                Motions(kept, chunk, along, motion);
                PaiNNMessageRows<TLanes, T>.Tangents(Span(chunk), f, w, kept.Geometry, motion, layer.X, layer.Mu, l == 0 ? default : t.Shifted(first), t.Context - 2 * first,
                    t.Mu1 - 3 * first);
            }
            DenseRows<TLanes, T>.Tangents(layer.Of.Mix, weights, 3 * n, t.Mu1, t.Mixed);
            PaiNNRows<TLanes, T>.InvariantTangents(n, f, layer.Rows(first), t);
            DenseRows<TLanes, T>.Tangents(layer.Of.Update1, weights, n, t.Context, t.Z2);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z2 + first, t.Z2, sDot);
            DenseRows<TLanes, T>.Tangents(layer.Of.Update2, weights, n, sDot, t.Y);
            PaiNNRows<TLanes, T>.UpdateTangents(n, f, layer.Rows(first), t, tangents[l + 1].Q, tangents[l + 1].Mu);
        }
        T* g = byEnergies == null ? null : byEnergies + block.FirstAtom;
        HeadBackward(n, weights, kept.Last + first, tangents[Layers].Q, kept.Hidden + (long)block.FirstAtom * HeadWidth, g, byQ, share, workspace);

        for (int l = Layers - 1; l >= 0; l--)
        {
            LayerMemory layer = layers[l];
            PaiNNTangents<T> t = tangents[l];
            PaiNNLayerRows<T> values = layer.Rows(first);
            bool end = l + 1 == Layers;
            T* firstByQ = layer.ByQ + first, firstByMu = end ? null : layer.ByMu + 3 * first;
            PaiNNRows<TLanes, T>.ByUpdate(n, f, values, firstByQ, firstByMu, byYDot);
            PaiNNRows<TLanes, T>.UpdateAdjoints(n, f, values, t, firstByQ, firstByMu, byQ, end ? null : byMu, byY);
            DenseRows<TLanes, T>.Back(layer.Of.Update2, weights, n, byY, byS);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Adjoints(wide, layer.Z2 + first, t.Z2, byS, layer.ByS2 + first, byZDot, s, sDot);
            DenseRows<TLanes, T>.AddGradients(layer.Of.Update2, n, byY, s, share);
            DenseRows<TLanes, T>.AddOuter(layer.Of.Update2, n, byYDot, sDot, share);
            DenseRows<TLanes, T>.AddGradients(layer.Of.Update1, n, byS, layer.Context + 2 * first, share);
            DenseRows<TLanes, T>.AddOuter(layer.Of.Update1, n, byZDot, t.Context, share);
            DenseRows<TLanes, T>.Back(layer.Of.Update1, weights, n, byS, byContext);
            PaiNNRows<TLanes, T>.ByContext(n, f, byContext, byQ, byQ1, byNorm);
            PaiNNRows<TLanes, T>.ByMixed(n, f, values, firstByQ, firstByMu, layer.ByNorm + first, byMixedDot);
            var byOutputs = new PaiNNMixedGradients<T>(firstByQ, firstByMu, layer.ByNorm + first, byQ, end ? null : byMu, byNorm);
            PaiNNRows<TLanes, T>.MixedAdjoints(n, f, values, t, byOutputs, byMixed);
            DenseRows<TLanes, T>.AddGradients(layer.Of.Mix, 3 * n, byMixed, layer.Mu1 + 3 * first, share);
            DenseRows<TLanes, T>.AddOuter(layer.Of.Mix, 3 * n, byMixedDot, t.Mu1, share);
            if (!end) Unsafe.CopyBlock(byMu1, byMu, (uint)(3 * wide * sizeof(T)));
            DenseRows<TLanes, T>.Back(layer.Of.Mix, weights, 3 * n, byMixed, byMu1, add: !end);
            Clear(byX, 3 * wide);
            if (l > 0) Unsafe.CopyBlock(byMu, byMu1, (uint)(3 * wide * sizeof(T)));
            foreach (PairRange chunk in chunks)
            {
                Filters(layer.Of, kept, weights, chunk, w);
                Motions(kept, chunk, along, motion);
                var of = new PaiNNMessageAdjoints<T>(
                    layer.X, layer.Mu, layer.ByQ1, layer.ByMu1, byQ1 - first, byMu1 - 3 * first, byX - 3 * first, l == 0 ? null : byMu - 3 * first);
                PaiNNMessageRows<TLanes, T>.Adjoints(Span(chunk), f, w, kept.Geometry, motion, l == 0 ? default : t.Shifted(first), of, byW);
                Products<TLanes, T>.MultiplyTransposed(3 * f, Radial.Stride, 2 * chunk.Count, byW, 3 * f, kept.Rows + 2L * chunk.Place * Radial.Stride, Radial.Stride,
                    share + layer.Of.ByFilter, Radial.Stride, add: true);
            }
            DenseRows<TLanes, T>.Back(layer.Of.Message2, weights, n, byX, byS);
            if (l > 0)
            {
                ActivationRows<Silu<TLanes, T>, TLanes, T>.Adjoints(wide, layer.Z1 + first, t.Z1, byS, layer.ByS1 + first, byZDot, s, sDot);
                DenseRows<TLanes, T>.AddOuter(layer.Of.Message2, n, layer.ByX + 3 * first, sDot, share);
                DenseRows<TLanes, T>.AddOuter(layer.Of.Message1, n, byZDot, t.Q, share);
            }
            else
            {
                ActivationRows<Silu<TLanes, T>, TLanes, T>.Values(wide, layer.Z1 + first, s);
                ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes(wide, layer.Z1 + first, byS, byS);
            }
            DenseRows<TLanes, T>.AddGradients(layer.Of.Message2, n, byX, s, share);
            DenseRows<TLanes, T>.AddGradients(layer.Of.Message1, n, byS, layer.Q + first, share);
            Unsafe.CopyBlock(byQ, byQ1, (uint)(wide * sizeof(T)));
            DenseRows<TLanes, T>.Back(layer.Of.Message1, weights, n, byS, byQ, add: true);
        }
        AddToTable(block, byQ, share);
        GC.KeepAlive(this);
        GC.KeepAlive(kept);
        GC.KeepAlive(layers);
    }

    private T Epsilon => T.CreateTruncating(Settings.Epsilon);

    private static void Clear(T* at, long count) => NativeMemory.Clear(at, (nuint)count * (nuint)sizeof(T));

    private PairSpan Span(PairRange range) => new(Blocks.Receivers, Blocks.Senders, range);

    /// <summary>Rows w and w' of a chunk.</summary>
    private void Filters(Layer layer, Memory kept, in WeightRows<T> weights, PairRange chunk, T* w)
    {
        int wide = 3 * Features, stride = Radial.Stride;
        Products<TLanes, T>.Multiply(
            2 * chunk.Count, wide, Radial.Columns, kept.Rows + 2L * chunk.Place * stride, stride, weights.Turned + layer.Turned, wide, w, wide);
    }

    /// <summary>Tangents of direction and distance of a chunk: u' = (r' - u d') / d, d' = u . r'.</summary>
    private static void Motions(Memory kept, PairRange chunk, T* along, T* motion)
    {
        if (along == null)
        {
            Clear(motion, 4L * chunk.Count);
            return;
        }
        for (int p = 0; p < chunk.Count; p++, motion += 4)
        {
            T* g = kept.Geometry + (long)PairRadial.Geometry * (chunk.Place + p), v = along + 3L * (chunk.First + p);
            T d = g[0] * v[0] + g[1] * v[1] + g[2] * v[2];
            (motion[0], motion[1], motion[2], motion[3]) = ((v[0] - g[0] * d) * g[3], (v[1] - g[1] * d) * g[3], (v[2] - g[2] * d) * g[3], d);
        }
    }

    /// <summary>Where an interaction's weights lie.</summary>
    private sealed class Layer
    {
        public DenseLayer Message1 = null!, Message2 = null!, Mix = null!, Update1 = null!, Update2 = null!;
        public long Turned, ByFilter;

        public DenseLayer[] Dense => [Message1, Message2, Mix, Update1, Update2];
    }

    /// <summary>What is kept of a block in an interaction: values, then gradients of E by them.</summary>
    private sealed class LayerMemory(Layer of)
    {
        public T* Q, Mu, Z1, X, Context, Mu1, Mixed, Z2, Y;
        public T* ByQ, ByMu, ByS2, ByNorm, ByQ1, ByMu1, ByX, ByS1;

        public Layer Of => of;

        /// <param name="first">F times the block's first atom.</param>
        public PaiNNLayerRows<T> Rows(long first) => new(Context + 2 * first, Mu1 + 3 * first, Mixed + 6 * first, Y + 3 * first);
    }

    /// <summary>What is kept of a block.</summary>
    private sealed class Memory
    {
        public readonly T* Geometry, Rows, Last, Hidden;

        public Memory(PaiNNEnergyPasses<TLanes, T> of, in FrameBlock block, T* memory)
        {
            var pieces = new Pieces<T>(memory);
            int f = of.Features;
            Geometry = pieces.Take((long)block.Pairs * PairRadial.Geometry);
            Rows = pieces.Take(2L * block.Pairs * of.Radial.Stride);
            Layers = new LayerMemory[of.Layers];
            for (int l = 0; l < Layers.Length; l++)
            {
                LayerMemory layer = Layers[l] = new LayerMemory(of.layers[l]);
                layer.Q = pieces.Rows(block, f);
                layer.Z1 = pieces.Rows(block, f);
                layer.X = pieces.Rows(block, 3 * f);
                layer.Context = pieces.Rows(block, 2 * f);
                layer.Mu1 = pieces.Rows(block, 3 * f);
                layer.Mixed = pieces.Rows(block, 6 * f);
                layer.Z2 = pieces.Rows(block, f);
                layer.Y = pieces.Rows(block, 3 * f);
                layer.ByQ = pieces.Rows(block, f);
                layer.ByS2 = pieces.Rows(block, f);
                layer.ByNorm = pieces.Rows(block, f);
                layer.ByQ1 = pieces.Rows(block, f);
                layer.ByMu1 = pieces.Rows(block, 3 * f);
                // Before the first message vectors are zero; after the last update nobody reads them.
                if (l > 0)
                {
                    layer.Mu = pieces.Rows(block, 3 * f);
                    layer.ByX = pieces.Rows(block, 3 * f);
                    layer.ByS1 = pieces.Rows(block, f);
                }
                if (l + 1 < Layers.Length) layer.ByMu = pieces.Rows(block, 3 * f);
            }
            Last = pieces.Rows(block, f);
            Hidden = pieces.Rows(block, of.HeadWidth);
            Numbers = pieces.Numbers;
        }

        public LayerMemory[] Layers { get; }

        public long Numbers { get; }
    }
}
