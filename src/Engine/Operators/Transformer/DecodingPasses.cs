using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// The next token's scores of sequences, each at a position of its own, on raw memory. Weights are laid out once; each sequence has its keys and
/// values in <see cref="DecodingPages{T}"/>, as many as it is long, and of local layers only those that their window reaches. What all begin
/// with is computed once, in one pass. Groups of sequences go through all layers of a step; they follow from the sequences alone, so results do not
/// depend on the number of threads.
/// </summary>
internal sealed unsafe class DecodingPasses<TLanes, T> : IDecodingPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Sequences that go through a layer together: its products are at full speed, and what passes between them stays in the first-level cache.
    private const int Group = 32;

    // Far below every score, and finite: differences of it are numbers.
    private static readonly T Hidden = T.CreateChecked(-1e30);

    private readonly DecodingWeights<TLanes, T> model;
    private readonly int h, n, d, heads, width, columns;
    private readonly DecodingPages<T> pages;
    private readonly DecodingSequence prompt = new();
    private DecodingSequence[] sequences = [];

    public DecodingPasses(DecodingModel of)
    {
        model = new DecodingWeights<TLanes, T>(of);
        (h, n, d, heads, width, columns) = (model.Width, model.Inner, model.HeadWidth, model.Heads, model.CacheWidth, model.Columns);
        pages = new DecodingPages<T>(width, model.LayersOf, model.Reach);
    }

    public int Sequences => sequences.Length;

    public int Length => sequences.Select(s => s.Length).DefaultIfEmpty().Max();

    public long CacheBytes => sequences.Sum(pages.Bytes);

    public void Prompt(ReadOnlySpan<long> ids, IScoreReader? reader)
    {
        Begin(0);
        pages.GiveBack(prompt);
        Check(ids, ids.Length);
        prompt.Length = ids.Length;
        if (ids.Length == 0) return;
        pages.Reserve(prompt, 0, ids.Length);
        var rows = new Row[ids.Length];
        for (int t = 0; t < rows.Length; t++) rows[t] = new Row(prompt, t, ids[t]);
        // Each row reads the keys of those before it: one thread has them all.
        Step(rows, 0, rows.Length, rows.Length - 1, reader);
    }

    public void Begin(int count)
    {
        foreach (DecodingSequence sequence in sequences) pages.GiveBack(sequence);
        sequences = [.. Enumerable.Range(0, count).Select(_ => pages.Copied(prompt))];
    }

    public void Restart(int row)
    {
        pages.GiveBack(sequences[row]);
        sequences[row] = pages.Copied(prompt);
    }

    public void Keep(ReadOnlySpan<long> kept)
    {
        var after = new HashSet<DecodingSequence>(kept.Length);
        foreach (long s in kept)
        {
            if ((ulong)s >= (ulong)sequences.Length) throw new ArgumentOutOfRangeException(nameof(kept), s, $"not one of {sequences.Length} sequences");
            if (!after.Add(sequences[s])) throw new ArgumentException($"sequence {s} is kept twice", nameof(kept));
        }
        DecodingSequence[] before = sequences;
        sequences = new DecodingSequence[kept.Length];
        for (int i = 0; i < kept.Length; i++) sequences[i] = before[kept[i]];
        foreach (DecodingSequence sequence in before)
            if (!after.Contains(sequence)) pages.GiveBack(sequence);
    }

    public void Step(ReadOnlySpan<long> ids, IScoreReader? reader)
    {
        if (ids.Length != sequences.Length) throw new ArgumentException($"{ids.Length} tokens for {sequences.Length} sequences", nameof(ids));
        Check(ids, Length + 1);
        var rows = new Row[ids.Length];
        for (int r = 0; r < rows.Length; r++)
        {
            DecodingSequence sequence = sequences[r];
            pages.Reserve(sequence, sequence.Length, sequence.Length + 1);
            rows[r] = new Row(sequence, sequence.Length, ids[r]);
        }
        int count = sequences.Length, groups = (count + Group - 1) / Group, shares = Math.Min(ThreadGrant.Now, groups);
        TorchThreads.For(shares, share =>
        {
            int first = (int)((long)groups * share / shares) * Group, end = Math.Min(count, (int)((long)groups * (share + 1) / shares) * Group);
            Step(rows, first, end, 0, reader);
        });
        foreach (DecodingSequence sequence in sequences) sequence.Length++;
    }

    public void Dispose()
    {
        Begin(0);
        pages.GiveBack(prompt);
        pages.Dispose();
        model.Dispose();
    }

    private void Check(ReadOnlySpan<long> ids, int length)
    {
        if (length > model.Positions) throw new InvalidOperationException($"the model has no position {model.Positions}");
        foreach (long id in ids)
            if ((ulong)id >= (ulong)model.Vocabulary) throw new ArgumentOutOfRangeException(nameof(ids), id, $"not one of {model.Vocabulary} tokens");
    }

    /// <summary>Rows first .. end - 1 through all layers, group by group in each: its weights are in the cache for the second.</summary>
    private void Step(Row[] of, int first, int end, int firstScored, IScoreReader? reader)
    {
        int rows = end - first, most = Math.Min(Group, rows), longest = 0;
        for (int r = first; r < end; r++) longest = Math.Max(longest, of[r].Position);
        long scores = (long)(longest + TLanes.Count) * (model.HasLanes ? TLanes.Count : 1);
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
            T* row = x + (long)r * h, token = model.Table + of[first + r].Id * h, place = model.Places + (long)of[first + r].Position * h;
            for (int c = 0; c < h; c += TLanes.Count) TLanes.Store(row + c, TLanes.Add(TLanes.Load(token + c), TLanes.Load(place + c)));
        }
        foreach (DecodingLayer<T> layer in model.Layers)
            for (int g = 0; g < rows; g += Group) Forward(layer, of.AsSpan(first + g, Math.Min(Group, rows - g)), x + (long)g * h, at);
        if (reader is null) return;
        for (int g = 0; g < rows; g += Group)
        {
            int count = Math.Min(Group, rows - g);
            if (first + g + count <= firstScored) continue;
            RowPasses<TLanes, T>.Norm(count, h, x + (long)g * h, model.FinalNorm, null, null, null, at.Y, null, at.Reciprocal);
            Products<TLanes, T>.Multiply(count, columns, h, at.Y, h, model.Scoring, columns, at.Wide, columns);
            for (int r = Math.Max(0, firstScored - first - g); r < count; r++)
                reader.Read(first + g + r - firstScored, new Span<T>(at.Wide + (long)r * columns, model.Vocabulary));
        }
    }

    private void Forward(DecodingLayer<T> layer, ReadOnlySpan<Row> rows, T* x, in Temporaries at)
    {
        int count = rows.Length;
        RowPasses<TLanes, T>.Norm(count, h, x, layer.Norm1, layer.ProjectionBias, x, null, at.Y, null, at.Reciprocal);
        Products<TLanes, T>.Multiply(count, 3 * width, h, at.Y, h, layer.QueryKeyValue, 3 * width, at.Wide, 3 * width);
        for (int r = 0; r < count; r++)
        {
            T* q = at.Wide + 3L * r * width, output = at.Attended + (long)r * width;
            var cache = new DecodingCache<T>(rows[r].Of, layer, width, rows[r].Position);
            T* keys = cache.Keys(rows[r].Position, out _);
            new ReadOnlySpan<T>(q + width, width).CopyTo(new Span<T>(keys, width));
            new ReadOnlySpan<T>(q + 2 * width, width).CopyTo(new Span<T>(keys + DecodingPages.Tokens * width, width));
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
    private void AttendLanes(in DecodingCache<T> cache, T* q, int feature, T* output, T* scores)
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
            T* values = cache.Keys(t, out int count) + DecodingPages.Tokens * width + feature;
            LaneProducts<TLanes, T>.WeightedSum(at, values, width, count, d, sum, add: true);
            at += count * lanes;
            t += count;
        }
        TLanes reciprocal = TLanes.Reciprocal(total);
        for (int c = 0; c < d * lanes; c += lanes) TLanes.Store(sum + c, TLanes.Multiply(TLanes.Load(sum + c), reciprocal));
    }

    /// <summary>One query of one head of whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AttendHead(in DecodingCache<T> cache, T* q, int feature, T* output, T* scores)
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
                T* values = cache.Keys(t, out int count) + DecodingPages.Tokens * width + feature + c;
                for (int r = 0; r < count; r++, values += width) sum = TLanes.Fma(TLanes.All(*at++), TLanes.Load(values), sum);
                t += count;
            }
            TLanes.Store(output + feature + c, TLanes.Multiply(sum, reciprocal));
        }
    }

    /// <summary>A token that goes through the layers.</summary>
    private readonly record struct Row(DecodingSequence Of, int Position, long Id);

    private struct Temporaries
    {
        public T* Y, Wide, Attended, Inner, Reciprocal, Scores;
    }
}

/// <summary>A language model's decoding at one number type and vector width.</summary>
internal interface IDecodingPasses : IDisposable
{
    int Sequences { get; }

    /// <summary>Positions of the longest sequence so far.</summary>
    int Length { get; }

    /// <summary>What the sequences' keys and values take now.</summary>
    long CacheBytes { get; }

    /// <summary>What every sequence that is begun from here on starts with, in one pass; sequences that are there end.</summary>
    /// <param name="ids">Token ids; none: sequences begin empty.</param>
    /// <param name="reader">Gets the scores of the token behind it, as row 0.</param>
    void Prompt(ReadOnlySpan<long> ids, IScoreReader? reader);

    /// <summary>So many new sequences; what was there ends.</summary>
    void Begin(int count);

    /// <summary>A new sequence in the place of one that ends.</summary>
    void Restart(int row);

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
