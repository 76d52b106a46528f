using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// The next token's scores of sequences of equal length on raw memory, one position at a time. Weights are laid out once; each sequence has its
/// keys and values in pages of <see cref="Page"/> tokens, as many as it is long, and of local layers only those that their window reaches. Groups of
/// sequences go through all layers of a step; they follow from the sequences alone, so results do not depend on the number of threads.
/// </summary>
internal sealed unsafe class DecodingPasses<TLanes, T> : IDecodingPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Tokens of a page.</summary>
    internal const int Page = DecodingWeights<TLanes, T>.Page;

    // Sequences that go through a layer together: its products are at full speed, and what passes between them stays in the first-level cache.
    private const int Group = 32;

    private const int Local = DecodingWeights<TLanes, T>.Local;

    // Far below every score, and finite: differences of it are numbers.
    private static readonly T Hidden = T.CreateChecked(-1e30);

    private readonly DecodingWeights<TLanes, T> model;
    private readonly int h, n, d, heads, width, columns;
    private readonly List<long>[] free = [[], []];
    private Sequence[] sequences = [];

    public DecodingPasses(DecodingModel of)
    {
        model = new DecodingWeights<TLanes, T>(of);
        (h, n, d, heads, width, columns) = (model.Width, model.Inner, model.HeadWidth, model.Heads, model.CacheWidth, model.Columns);
    }

    public int Sequences => sequences.Length;

    public int Length { get; private set; }

    public long CacheBytes => sequences.Sum(s => Enumerable.Range(0, 2).Sum(kind => s.Pages[kind].Count * (long)PageBytes(kind)));

    public void Begin(int count)
    {
        foreach (Sequence sequence in sequences) GiveBack(sequence);
        sequences = [.. Enumerable.Range(0, count).Select(_ => new Sequence())];
        Length = 0;
    }

    public void Keep(ReadOnlySpan<long> kept)
    {
        var after = new HashSet<Sequence>(kept.Length);
        foreach (long s in kept)
        {
            if ((ulong)s >= (ulong)sequences.Length) throw new ArgumentOutOfRangeException(nameof(kept), s, $"not one of {sequences.Length} sequences");
            if (!after.Add(sequences[s])) throw new ArgumentException($"sequence {s} is kept twice", nameof(kept));
        }
        Sequence[] before = sequences;
        sequences = new Sequence[kept.Length];
        for (int i = 0; i < kept.Length; i++) sequences[i] = before[kept[i]];
        foreach (Sequence sequence in before)
            if (!after.Contains(sequence)) GiveBack(sequence);
    }

    public void Step(ReadOnlySpan<long> ids, IScoreReader? reader)
    {
        if (ids.Length != sequences.Length) throw new ArgumentException($"{ids.Length} tokens for {sequences.Length} sequences", nameof(ids));
        if (Length >= model.Positions) throw new InvalidOperationException($"the model has no position {Length}");
        foreach (long id in ids)
            if ((ulong)id >= (ulong)model.Vocabulary) throw new ArgumentOutOfRangeException(nameof(ids), id, $"not one of {model.Vocabulary} tokens");
        foreach (Sequence sequence in sequences) Reserve(sequence);
        long[] tokens = ids.ToArray();
        int count = sequences.Length, groups = (count + Group - 1) / Group, shares = Math.Min(ThreadGrant.Now, groups);
        TorchThreads.For(shares, share =>
        {
            int first = (int)((long)groups * share / shares) * Group, end = Math.Min(count, (int)((long)groups * (share + 1) / shares) * Group);
            Step(tokens, first, end, reader);
        });
        Length++;
    }

    public void Dispose()
    {
        Begin(0);
        Free();
    }

    /// <summary>Sequences first .. end - 1 through all layers, group by group in each: its weights are in the cache for the second.</summary>
    private void Step(long[] ids, int first, int end, IScoreReader? reader)
    {
        T* place = model.Places + (long)Length * h;
        int rows = end - first, most = Math.Min(Group, rows);
        long scores = (long)(Length + TLanes.Count) * (model.HasLanes ? TLanes.Count : 1);
        using Workspace workspace = Workspace.Rent(Workspace.Size<T>((long)rows * h) + Workspace.Size<T>((long)most * h)
            + Workspace.Size<T>((long)most * Math.Max(3 * width, columns)) + Workspace.Size<T>((long)most * width) + Workspace.Size<T>((long)most * n)
            + Workspace.Size<T>(most) + Workspace.Size<T>(scores));
        var at = new Temporaries
        {
            Y = workspace.Take<T>((long)most * h),
            Wide = workspace.Take<T>((long)most * Math.Max(3 * width, columns)),
            Attended = workspace.Take<T>((long)most * width),
            Inner = workspace.Take<T>((long)most * n),
            Reciprocal = workspace.Take<T>(most),
            Scores = workspace.Take<T>(scores),
        };
        T* x = workspace.Take<T>((long)rows * h);
        for (int r = 0; r < rows; r++)
        {
            T* row = x + (long)r * h, token = model.Table + ids[first + r] * h;
            for (int c = 0; c < h; c += TLanes.Count) TLanes.Store(row + c, TLanes.Add(TLanes.Load(token + c), TLanes.Load(place + c)));
        }
        foreach (DecodingLayer<T> layer in model.Layers)
            for (int g = 0; g < rows; g += Group) Forward(layer, first + g, Math.Min(Group, rows - g), x + (long)g * h, at);
        if (reader is null) return;
        for (int g = 0; g < rows; g += Group)
        {
            int count = Math.Min(Group, rows - g);
            RowPasses<TLanes, T>.Norm(count, h, x + (long)g * h, model.FinalNorm, null, null, null, at.Y, null, at.Reciprocal);
            Products<TLanes, T>.Multiply(count, columns, h, at.Y, h, model.Scoring, columns, at.Wide, columns);
            for (int r = 0; r < count; r++) reader.Read(first + g + r, new Span<T>(at.Wide + (long)r * columns, model.Vocabulary));
        }
    }

    private void Forward(DecodingLayer<T> layer, int first, int count, T* x, in Temporaries at)
    {
        RowPasses<TLanes, T>.Norm(count, h, x, layer.Norm1, layer.ProjectionBias, x, null, at.Y, null, at.Reciprocal);
        Products<TLanes, T>.Multiply(count, 3 * width, h, at.Y, h, layer.QueryKeyValue, 3 * width, at.Wide, 3 * width);
        for (int r = 0; r < count; r++)
        {
            T* q = at.Wide + 3L * r * width, output = at.Attended + (long)r * width;
            var cache = new Cache(sequences[first + r], layer, width, Length);
            T* keys = cache.Keys(Length, out _);
            new ReadOnlySpan<T>(q + width, width).CopyTo(new Span<T>(keys, width));
            new ReadOnlySpan<T>(q + 2 * width, width).CopyTo(new Span<T>(keys + Page * width, width));
            if (model.HasLanes) for (int feature = 0; feature < width; feature += d * TLanes.Count) AttendLanes(cache, q, feature, output, at.Scores);
            else for (int feature = 0; feature < width; feature += width / heads) AttendHead(cache, q, feature, output, at.Scores);
        }
        Products<TLanes, T>.Multiply(count, h, width, at.Attended, width, layer.Projection, h, x, h, add: true);
        RowPasses<TLanes, T>.Norm(count, h, x, layer.Norm2, layer.ContractBias, x, null, at.Y, null, at.Reciprocal);
        Products<TLanes, T>.Multiply(count, n, h, at.Y, h, layer.Expand, n, at.Inner, n);
        RowPasses<TLanes, T>.Gelu(count, n, at.Inner, layer.ExpandBias, at.Inner);
        Products<TLanes, T>.Multiply(count, h, n, at.Inner, n, layer.Contract, h, x, h, add: true);
    }

    /// <summary>One query of as many heads as there are lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AttendLanes(in Cache cache, T* q, int feature, T* output, T* scores)
    {
        int lanes = TLanes.Count, seen = cache.Seen;
        TLanes greatest = TLanes.All(Hidden), total = TLanes.Zero, more = total;
        T* at = scores;
        for (int t = cache.Low; t < cache.End;)
        {
            T* keys = cache.Keys(t, out int count) + feature;
            greatest = TLanes.Max(greatest, LaneProducts<TLanes, T>.Dot(q + feature, keys, width, count, d, at));
            at += count * lanes;
            t += count;
        }
        int j = 0;
        for (; j + 2 <= seen; j += 2)
        {
            TLanes e = TLanes.Exp2(TLanes.Subtract(TLanes.Load(scores + j * lanes), greatest));
            TLanes f = TLanes.Exp2(TLanes.Subtract(TLanes.Load(scores + (j + 1) * lanes), greatest));
            TLanes.Store(scores + j * lanes, e);
            TLanes.Store(scores + (j + 1) * lanes, f);
            (total, more) = (TLanes.Add(total, e), TLanes.Add(more, f));
        }
        if (j < seen)
        {
            TLanes e = TLanes.Exp2(TLanes.Subtract(TLanes.Load(scores + j * lanes), greatest));
            TLanes.Store(scores + j * lanes, e);
            total = TLanes.Add(total, e);
        }
        total = TLanes.Add(total, more);
        T* sum = output + feature;
        for (int c = 0; c < d * lanes; c += lanes) TLanes.Store(sum + c, TLanes.Zero);
        at = scores;
        for (int t = cache.Low; t < cache.End;)
        {
            T* values = cache.Keys(t, out int count) + Page * width + feature;
            LaneProducts<TLanes, T>.WeightedSum(at, values, width, count, d, sum, add: true);
            at += count * lanes;
            t += count;
        }
        TLanes reciprocal = TLanes.Reciprocal(total);
        for (int c = 0; c < d * lanes; c += lanes) TLanes.Store(sum + c, TLanes.Multiply(TLanes.Load(sum + c), reciprocal));
    }

    /// <summary>One query of one head of whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AttendHead(in Cache cache, T* q, int feature, T* output, T* scores)
    {
        int lanes = TLanes.Count, wide = width / heads, seen = cache.Seen, whole = (seen + lanes - 1) / lanes * lanes;
        T* at = scores, query = q + feature;
        for (int t = cache.Low; t < cache.End;)
        {
            T* keys = cache.Keys(t, out int count) + feature;
            for (int r = 0; r < count; r++, keys += width)
            {
                TLanes s = TLanes.Zero;
                for (int c = 0; c < wide; c += lanes) s = TLanes.Fma(TLanes.Load(query + c), TLanes.Load(keys + c), s);
                *at++ = TLanes.Sum(s);
            }
            t += count;
        }
        for (int j = seen; j < whole; j++) scores[j] = Hidden;
        TLanes most = TLanes.Load(scores), total = TLanes.Zero;
        for (int j = lanes; j < whole; j += lanes) most = TLanes.Max(most, TLanes.Load(scores + j));
        TLanes greatest = TLanes.All(TLanes.Greatest(most));
        for (int j = 0; j < whole; j += lanes)
        {
            TLanes e = TLanes.Exp2(TLanes.Subtract(TLanes.Load(scores + j), greatest));
            TLanes.Store(scores + j, e);
            total = TLanes.Add(total, e);
        }
        TLanes reciprocal = TLanes.All(T.One / TLanes.Sum(total));
        for (int c = 0; c < wide; c += lanes)
        {
            TLanes sum = TLanes.Zero;
            at = scores;
            for (int t = cache.Low; t < cache.End;)
            {
                T* values = cache.Keys(t, out int count) + Page * width + feature + c;
                for (int r = 0; r < count; r++, values += width) sum = TLanes.Fma(TLanes.All(*at++), TLanes.Load(values), sum);
                t += count;
            }
            TLanes.Store(output + feature + c, TLanes.Multiply(sum, reciprocal));
        }
    }

    /// <summary>Pages for the position that is next; those that no window reaches any more come back.</summary>
    private void Reserve(Sequence sequence)
    {
        for (int kind = 0; kind < 2; kind++)
        {
            if (model.LayersOf[kind] == 0) continue;
            List<long> pages = sequence.Pages[kind];
            if (kind == Local)
            {
                while ((sequence.Dropped + 1) * Page <= Length + 1 - model.Reach)
                {
                    free[kind].Add(pages[0]);
                    pages.RemoveAt(0);
                    sequence.Dropped++;
                }
            }
            if (Length / Page - (kind == Local ? sequence.Dropped : 0) < pages.Count) continue;
            int last = free[kind].Count - 1;
            pages.Add(last < 0 ? (long)NativeMemory.AlignedAlloc(PageBytes(kind), 64) : free[kind][last]);
            if (last >= 0) free[kind].RemoveAt(last);
        }
    }

    private nuint PageBytes(int kind) => (nuint)(2L * Page * width * model.LayersOf[kind] * sizeof(T));

    private void GiveBack(Sequence sequence)
    {
        for (int kind = 0; kind < 2; kind++)
        {
            free[kind].AddRange(sequence.Pages[kind]);
            sequence.Pages[kind].Clear();
        }
    }

    private void Free()
    {
        foreach (List<long> pages in free)
        {
            foreach (long page in pages) NativeMemory.AlignedFree((void*)page);
            pages.Clear();
        }
        model.Dispose();
    }

    private sealed class Sequence
    {
        /// <summary>By kind of layer.</summary>
        public List<long>[] Pages { get; } = [[], []];

        /// <summary>Pages of local layers that came before the first one there.</summary>
        public int Dropped { get; set; }
    }

    private struct Temporaries
    {
        public T* Y, Wide, Attended, Inner, Reciprocal, Scores;
    }

    /// <summary>What one sequence has in one layer.</summary>
    private readonly struct Cache(Sequence sequence, DecodingLayer<T> layer, int width, int position)
    {
        private readonly List<long> pages = sequence.Pages[layer.Kind];
        private readonly int dropped = layer.Kind == Local ? sequence.Dropped : 0;
        private readonly long offset = layer.Offset;

        /// <summary>The first position that is seen.</summary>
        public int Low { get; } = layer.Window > 0 ? Math.Max(0, position + 1 - layer.Window) : 0;

        public int End => position + 1;

        public int Seen => End - Low;

        /// <summary>Keys from a position on, as many as are seen and lie together; values are <see cref="Page"/> rows further.</summary>
        public T* Keys(int from, out int count)
        {
            int within = from % Page;
            count = Math.Min(Page - within, End - from);
            return (T*)pages[from / Page - dropped] + offset + (long)within * width;
        }
    }
}

/// <summary>A language model's decoding at one number type and vector width.</summary>
internal interface IDecodingPasses : IDisposable
{
    int Sequences { get; }

    /// <summary>Positions decoded so far.</summary>
    int Length { get; }

    /// <summary>What the sequences' keys and values take now.</summary>
    long CacheBytes { get; }

    /// <summary>So many new sequences; what was there ends.</summary>
    void Begin(int count);

    /// <summary>Takes one token of each sequence.</summary>
    /// <param name="ids">(B) token ids.</param>
    /// <param name="reader">Gets the scores of the next token, on whichever thread; null: none are made.</param>
    void Step(ReadOnlySpan<long> ids, IScoreReader? reader);

    /// <summary>Goes on with some of the sequences only; nothing is copied.</summary>
    /// <param name="kept">Their indices, in the new order, none twice.</param>
    void Keep(ReadOnlySpan<long> kept);

    /// <summary>Passes at the model's number type; it <see cref="DecodingModel.HasPasses"/>.</summary>
    static IDecodingPasses Of(DecodingModel model) => (model.Tokens.dtype, TransformerStackHost.Lanes(model.Tokens.dtype, model.Heads)) switch
    {
        (ScalarType.Float32, 16) => new DecodingPasses<SingleLanes16, float>(model),
        (ScalarType.Float32, _) => new DecodingPasses<SingleLanes8, float>(model),
        (ScalarType.Float64, 8) => new DecodingPasses<DoubleLanes8, double>(model),
        _ => new DecodingPasses<DoubleLanes4, double>(model),
    };
}

/// <summary>What is done with a sequence's scores as soon as they are there. Different rows may come at once.</summary>
internal interface IScoreReader
{
    /// <param name="row">Which sequence.</param>
    /// <param name="scores">(V), to be read, or written over, during the call.</param>
    void Read<T>(int row, Span<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>;
}
