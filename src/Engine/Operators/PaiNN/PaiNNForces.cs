using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// PaiNN without a graph. The first context depends on the element alone and is a table; the vectors that the last layer would give nobody reads. A
/// filter's derivative by distance is the same product of the derivatives of the radial rows, so the energy's is a sum within the messages' reverse.
/// </summary>
internal sealed unsafe class PaiNNForces<TLanes, T> : ForcePasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Layer[] layers;
    private readonly T* table; // (elements, 3 F)
    private readonly T epsilon;
    private readonly PaiNNForceMessages<TLanes, T> messages;

    public PaiNNForces(PaiNNForceWeights model)
        : base(model.Shared, enveloped: true)
    {
        epsilon = T.CreateChecked(model.NormEpsilon);
        messages = new(Width);
        int features = (int)model.Shared.Elements.size(1);
        layers = new Layer[model.Layers.Count];
        for (int l = 0; l < layers.Length; l++)
        {
            PaiNNLayerWeights w = model.Layers[l];
            int[]? kept = l == layers.Length - 1 ? [0, 2] : null;
            layers[l] = new Layer
            {
                Filter = Weights.Radial(w.Filter, w.FilterBias, features, l == 0 ? [0, 1] : [0, 1, 2]),
                Context1 = Weights.Dense(w.Context1, features, features),
                Context1Bias = Weights.Vector(w.Context1Bias, features),
                Context2 = Weights.Dense(w.Context2, features, features),
                Context2Bias = Weights.Vector(w.Context2Bias, features),
                Mix = Weights.Dense(w.Mix, features, features),
                Mix1 = Weights.Dense(w.Mix1, features, features),
                Mix1Bias = Weights.Vector(w.Mix1Bias, features),
                Mix2 = Weights.Dense(w.Mix2, features, features, kept),
                Mix2Bias = Weights.Vector(w.Mix2Bias, features, kept),
            };
        }
        int elements = (int)model.Shared.Elements.size(0);
        table = Weights.Take(3L * elements * Width);
        using Workspace workspace = Workspace.Rent(2 * Workspace.Size<T>((long)elements * Width));
        Context(elements, layers[0], Elements, workspace.Take<T>((long)elements * Width), workspace.Take<T>((long)elements * Width), table);
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
        int atoms = frame.Atoms, n = Width;
        for (int i = 0; i < atoms; i++) Copy(Elements + (long)frame.Numbers[i] * n, n, at.Scalars + (long)i * n);
        for (int l = 0; l < layers.Length; l++)
        {
            Layer layer = layers[l];
            Kept kept = Of(at, l, atoms);
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                long first = (long)b * n;
                if (l > 0)
                {
                    Context(count, layer, at.Scalars + first, at.Inner, kept.ContextSlopes + first, kept.Context + 3 * first);
                    Copy(kept.Before + 3 * first, 3L * count * n, kept.Vectors + 3 * first);
                }
                else Clear(kept.Vectors + 3 * first, 3L * count * n);
                for (int i = b; i < b + count; i++) Copy(at.Scalars + (long)i * n, n, kept.Invariants + 2L * i * n);
            }
            for (int p = 0; p < frame.Pairs; p += Chunk)
            {
                int pairs = Math.Min(Chunk, frame.Pairs - p);
                T* filters = at.Filters + (at.KeepsFilters ? FilterStart(l) * frame.Rows + (long)p * FilterWidth(l) : 0);
                Filter(frame, l, p, frame.Radial, filters);
                if (l == 0) messages.First(frame, p, pairs, filters, table, kept.Invariants, kept.Vectors);
                else messages.Later(frame, p, pairs, filters, kept.Context, kept.Before, kept.Invariants, kept.Vectors);
            }
            bool last = l == layers.Length - 1;
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                long first = (long)b * n;
                Forward(3 * count, layer.Mix, kept.Vectors + 3 * first, kept.Mixed + 6 * first);
                Invariants(count, kept.Mixed + 6 * first, kept.Invariants + 2 * first, kept.Products + first);
                Forward(count, layer.Mix1, kept.Invariants + 2 * first, at.Inner);
                Silu(count, n, at.Inner, layer.Mix1Bias.At, kept.MixSlopes + first);
                T* update = kept.Update + layer.Mix2.Outputs * (long)b;
                Repeat(count, layer.Mix2Bias.At, layer.Mix2.Outputs, update);
                Forward(count, layer.Mix2, at.Inner, update, add: true);
                Update(count, last, kept, first, update, at.Scalars + first);
            }
        }
        double energy = Head(atoms, at.Scalars, at.Inner, gradients ? at.ByScalars : null);
        if (gradients) Reverse(frame, at);
        return energy;
    }

    /// <summary>Sums the pairs' gradients, from the derivative by the last features on.</summary>
    private void Reverse(in PairRows<T> frame, Memory at)
    {
        int atoms = frame.Atoms, n = Width;
        for (int l = layers.Length - 1; l >= 0; l--)
        {
            Layer layer = layers[l];
            Kept kept = Of(at, l, atoms);
            bool last = l == layers.Length - 1;
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                long first = (long)b * n;
                T* byScalars = at.ByScalars + first, byVectors = at.ByVectors + 3 * first, update = kept.Update + layer.Mix2.Outputs * (long)b;
                ReverseUpdate(count, last, kept, first, byScalars, byVectors, at.ByUpdate);
                Backward(count, layer.Mix2, at.ByUpdate, at.Inner);
                Multiply((long)count * n, at.Inner, kept.MixSlopes + first);
                Backward(count, layer.Mix1, at.Inner, at.ByInvariants);
                ReverseInvariants(count, last, kept, first, update, at.ByInvariants, byScalars, byVectors, at.ByMixed);
                Backward(3 * count, layer.Mix, at.ByMixed, byVectors, add: !last);
                if (l == 0) continue;
                Clear(at.ByContext + 3 * first, 3L * count * n);
                Copy(byVectors, 3L * count * n, at.ByBefore + 3 * first);
            }
            var sent = new PaiNNMessageGradients<T>
            {
                Context = kept.Context,
                Before = kept.Before,
                ByScalars = at.ByScalars,
                ByVectors = at.ByVectors,
                ByContext = at.ByContext,
                ByBefore = at.ByBefore,
            };
            for (int p = 0; p < frame.Pairs; p += Chunk)
            {
                int pairs = Math.Min(Chunk, frame.Pairs - p);
                T* filters = at.Filters + (at.KeepsFilters ? FilterStart(l) * frame.Rows + (long)p * FilterWidth(l) : 0);
                if (!at.KeepsFilters) Filter(frame, l, p, frame.Radial, filters);
                Filter(frame, l, p, frame.RadialSlopes, at.FilterSlopes);
                if (l == 0) messages.ReverseFirst(frame, p, pairs, filters, at.FilterSlopes, table, at.ByScalars, at.ByVectors);
                else messages.ReverseLater(frame, p, pairs, filters, at.FilterSlopes, sent);
            }
            if (l == 0) break;
            T* next = at.ByBefore;
            at.ByBefore = at.ByVectors;
            at.ByVectors = next;
            for (int b = 0; b < atoms; b += Block)
            {
                int count = Math.Min(Block, atoms - b);
                long first = (long)b * n;
                Backward(count, layer.Context2, at.ByContext + 3 * first, at.Inner);
                Multiply((long)count * n, at.Inner, kept.ContextSlopes + first);
                Backward(count, layer.Context1, at.Inner, at.ByScalars + first, add: true);
            }
        }
    }

    private int FilterWidth(int layer) => (layer == 0 ? 2 : 3) * Width;

    /// <summary>Numbers of a row in all filters before those of a layer.</summary>
    private long FilterStart(int layer) => layer == 0 ? 0 : (3L * layer - 1) * Width;

    private void Filter(in PairRows<T> frame, int layer, int start, T* radial, T* filters)
    {
        int rows = Math.Min(Chunk, frame.Rows - start);
        Functions.Multiply(rows, radial + (long)start * Functions.Stride, frame.Windows + 2 * (start / RadialRows<TLanes, T>.Group), layers[layer].Filter.At,
            FilterWidth(layer), filters);
    }

    /// <summary>The context of scalars: two dense layers.</summary>
    private void Context(int count, Layer layer, T* scalars, T* inner, T* slopes, T* context)
    {
        Forward(count, layer.Context1, scalars, inner);
        Silu(count, Width, inner, layer.Context1Bias.At, slopes);
        Repeat(count, layer.Context2Bias.At, 3 * Width, context);
        Forward(count, layer.Context2, inner, context, add: true);
    }

    /// <summary>Norms of V, beside the scalars, and products V . W.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Invariants(int count, T* mixed, T* invariants, T* products)
    {
        int n = Width;
        TLanes least = TLanes.All(epsilon);
        for (int i = 0; i < count; i++, mixed += 6 * n, invariants += 2 * n, products += n)
        {
            for (int f = 0; f < n; f += TLanes.Count)
            {
                T* at = mixed + f;
                TLanes v0 = TLanes.Load(at), v1 = TLanes.Load(at + 2 * n), v2 = TLanes.Load(at + 4 * n);
                TLanes.Store(invariants + n + f, TLanes.Sqrt(TLanes.Fma(v0, v0, TLanes.Fma(v1, v1, TLanes.Fma(v2, v2, least)))));
                TLanes.Store(products + f, TLanes.Fma(v0, TLanes.Load(at + n), TLanes.Fma(v1, TLanes.Load(at + 3 * n), v2 * TLanes.Load(at + 5 * n))));
            }
        }
    }

    /// <summary>q + a + c (V . W), and mu + b W but for the last layer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update(int count, bool last, in Kept kept, long first, T* update, T* scalars)
    {
        int n = Width, wide = last ? 2 * n : 3 * n;
        T* invariants = kept.Invariants + 2 * first, products = kept.Products + first, mixed = kept.Mixed + 6 * first, old = kept.Vectors + 3 * first;
        T* vectors = last ? null : kept.Next + 3 * first;
        for (int i = 0; i < count; i++, update += wide, scalars += n, invariants += 2 * n, products += n, mixed += 6 * n, old += 3 * n, vectors += 3 * n)
        {
            for (int f = 0; f < n; f += TLanes.Count)
            {
                TLanes q = TLanes.Fma(TLanes.Load(update + wide - n + f), TLanes.Load(products + f), TLanes.Load(update + f));
                TLanes.Store(scalars + f, TLanes.Load(invariants + f) + q);
                if (last) continue;
                TLanes b = TLanes.Load(update + n + f);
                TLanes.Store(vectors + f, TLanes.Fma(b, TLanes.Load(mixed + n + f), TLanes.Load(old + f)));
                TLanes.Store(vectors + n + f, TLanes.Fma(b, TLanes.Load(mixed + 3 * n + f), TLanes.Load(old + n + f)));
                TLanes.Store(vectors + 2 * n + f, TLanes.Fma(b, TLanes.Load(mixed + 5 * n + f), TLanes.Load(old + 2 * n + f)));
            }
        }
    }

    /// <summary>By [a | b | c].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReverseUpdate(int count, bool last, in Kept kept, long first, T* byScalars, T* byVectors, T* byUpdate)
    {
        int n = Width, wide = last ? 2 * n : 3 * n;
        T* products = kept.Products + first, mixed = kept.Mixed + 6 * first;
        for (int i = 0; i < count; i++, byUpdate += wide, byScalars += n, byVectors += 3 * n, products += n, mixed += 6 * n)
        {
            for (int f = 0; f < n; f += TLanes.Count)
            {
                TLanes a = TLanes.Load(byScalars + f);
                TLanes.Store(byUpdate + f, a);
                TLanes.Store(byUpdate + wide - n + f, a * TLanes.Load(products + f));
                if (last) continue;
                TLanes b = TLanes.Load(byVectors + f) * TLanes.Load(mixed + n + f);
                b = TLanes.Fma(TLanes.Load(byVectors + n + f), TLanes.Load(mixed + 3 * n + f), b);
                TLanes.Store(byUpdate + n + f, TLanes.Fma(TLanes.Load(byVectors + 2 * n + f), TLanes.Load(mixed + 5 * n + f), b));
            }
        }
    }

    /// <summary>By [V | W], and what scalars gain through the context.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReverseInvariants(int count, bool last, in Kept kept, long first, T* update, T* byInvariants, T* byScalars, T* byVectors, T* byMixed)
    {
        int n = Width, wide = last ? 2 * n : 3 * n;
        T* invariants = kept.Invariants + 2 * first, mixed = kept.Mixed + 6 * first;
        for (int i = 0; i < count; i++, byScalars += n, byVectors += 3 * n, mixed += 6 * n, byMixed += 6 * n)
        {
            for (int f = 0; f < n; f += TLanes.Count)
            {
                TLanes a = TLanes.Load(byScalars + f), product = a * TLanes.Load(update + wide - n + f);
                TLanes norm = TLanes.Divide(TLanes.Load(byInvariants + n + f), TLanes.Load(invariants + n + f));
                TLanes.Store(byScalars + f, a + TLanes.Load(byInvariants + f));
                TLanes b = last ? TLanes.Zero : TLanes.Load(update + n + f);
                for (int k = 0; k < 3; k++)
                {
                    T* at = mixed + 2 * k * n + f, by = byMixed + 2 * k * n + f;
                    TLanes v = TLanes.Load(at), w = product * v;
                    TLanes.Store(by, TLanes.Fma(norm, v, product * TLanes.Load(at + n)));
                    TLanes.Store(by + n, last ? w : TLanes.Fma(TLanes.Load(byVectors + k * n + f), b, w));
                }
            }
            update += wide;
            invariants += 2 * n;
            byInvariants += 2 * n;
        }
    }

    private Memory Lay(in PairRows<T> frame, bool gradients, ref Pieces pieces)
    {
        long n = (long)frame.Atoms * Width, block = (long)Math.Min(Block, frame.Atoms) * Width, more = layers.Length - 1;
        long filters = (3L * layers.Length - 1) * Width * frame.Rows, chunk = 3L * Width * Math.Min(Chunk, frame.Rows);
        bool keep = gradients && KeepsFilters(filters);
        return new Memory
        {
            KeepsFilters = keep,
            Scalars = pieces.Take<T>(n),
            Inner = pieces.Take<T>(Math.Max(block, (long)Math.Min(Block, frame.Atoms) * InnerWidth)),
            Context = pieces.Take<T>(3 * n * more),
            ContextSlopes = pieces.Take<T>(n * more),
            Before = pieces.Take<T>(3 * n * more),
            Vectors = pieces.Take<T>(3 * n * layers.Length),
            Invariants = pieces.Take<T>(2 * n * layers.Length),
            Mixed = pieces.Take<T>(6 * n * layers.Length),
            Products = pieces.Take<T>(n * layers.Length),
            MixSlopes = pieces.Take<T>(n * layers.Length),
            Update = pieces.Take<T>(3 * n * layers.Length),
            Filters = pieces.Take<T>(keep ? filters : chunk),
            FilterSlopes = pieces.Take<T>(gradients ? chunk : 0),
            ByScalars = pieces.Take<T>(gradients ? n : 0),
            ByVectors = pieces.Take<T>(gradients ? 3 * n : 0),
            ByBefore = pieces.Take<T>(gradients ? 3 * n : 0),
            ByContext = pieces.Take<T>(gradients ? 3 * n : 0),
            ByUpdate = pieces.Take<T>(gradients ? 3 * block : 0),
            ByInvariants = pieces.Take<T>(gradients ? 2 * block : 0),
            ByMixed = pieces.Take<T>(gradients ? 6 * block : 0),
        };
    }

    /// <summary>A layer's part of what is kept. The first one has no context of its own, and no vectors come to it.</summary>
    private Kept Of(in Memory at, int layer, int atoms)
    {
        long n = (long)atoms * Width, later = layer - 1;
        return new Kept
        {
            Context = at.Context + 3 * n * later,
            ContextSlopes = at.ContextSlopes + n * later,
            Before = at.Before + 3 * n * later,
            Next = at.Before + 3 * n * layer,
            Vectors = at.Vectors + 3 * n * layer,
            Invariants = at.Invariants + 2 * n * layer,
            Mixed = at.Mixed + 6 * n * layer,
            Products = at.Products + n * layer,
            MixSlopes = at.MixSlopes + n * layer,
            Update = at.Update + 3 * n * layer,
        };
    }

    private sealed class Layer
    {
        public VectorWeights<T> Filter { get; init; }

        public DenseWeights<T> Context1 { get; init; }

        public VectorWeights<T> Context1Bias { get; init; }

        public DenseWeights<T> Context2 { get; init; }

        public VectorWeights<T> Context2Bias { get; init; }

        public DenseWeights<T> Mix { get; init; }

        public DenseWeights<T> Mix1 { get; init; }

        public VectorWeights<T> Mix1Bias { get; init; }

        public DenseWeights<T> Mix2 { get; init; }

        public VectorWeights<T> Mix2Bias { get; init; }
    }

    private struct Memory
    {
        public bool KeepsFilters;
        public T* Scalars, Inner, Context, ContextSlopes, Before, Vectors, Invariants, Mixed, Products, MixSlopes, Update, Filters, FilterSlopes;
        public T* ByScalars, ByVectors, ByBefore, ByContext, ByUpdate, ByInvariants, ByMixed;
    }

    /// <summary>Context, vectors that are sent, and vectors that go on; after the messages: vectors, [scalars | norms], [V | W], V . W, [a | b | c].</summary>
    private struct Kept
    {
        public T* Context, ContextSlopes, Before, Next, Vectors, Invariants, Mixed, Products, MixSlopes, Update;
    }
}

/// <summary>A PaiNN's weights, as its layers have them. Tensors stay the caller's.</summary>
/// <param name="Shared">What it shares with its kin.</param>
/// <param name="Layers">In their order.</param>
/// <param name="NormEpsilon">Of the vectors' norms.</param>
internal sealed record PaiNNForceWeights(RadialForceWeights Shared, IReadOnlyList<PaiNNLayerWeights> Layers, double NormEpsilon)
{
    /// <returns>null where there are no such passes.</returns>
    public IForcePasses? Passes() => Shared.Lanes switch
    {
        0 => null,
        16 => new PaiNNForces<SingleLanes16, float>(this),
        8 when Shared.Elements.dtype == ScalarType.Float32 => new PaiNNForces<SingleLanes8, float>(this),
        8 => new PaiNNForces<DoubleLanes8, double>(this),
        _ => new PaiNNForces<DoubleLanes4, double>(this),
    };
}

/// <summary>A layer's weights.</summary>
/// <param name="Filter">(3 F, K), and its bias (3 F)</param>
/// <param name="FilterBias">See <paramref name="Filter"/>.</param>
/// <param name="Context1">(F, F)</param>
/// <param name="Context1Bias">(F)</param>
/// <param name="Context2">(3 F, F)</param>
/// <param name="Context2Bias">(3 F)</param>
/// <param name="Mix">(2 F, F)</param>
/// <param name="Mix1">(F, 2 F)</param>
/// <param name="Mix1Bias">(F)</param>
/// <param name="Mix2">(3 F, F)</param>
/// <param name="Mix2Bias">(3 F)</param>
internal sealed record PaiNNLayerWeights(Tensor Filter, Tensor FilterBias, Tensor Context1, Tensor Context1Bias, Tensor Context2, Tensor Context2Bias,
    Tensor Mix, Tensor Mix1, Tensor Mix1Bias, Tensor Mix2, Tensor Mix2Bias);
