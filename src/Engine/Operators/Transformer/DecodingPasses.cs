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
    internal const int Page = 32;

    // Sequences that go through a layer together: its products are at full speed, and what passes between them stays in the first-level cache.
    private const int Group = 32;

    // Of layers that see all tokens, and of those that have a window.
    private const int Global = 0, Local = 1;

    // Far below every score, and finite: differences of it are numbers.
    private static readonly T Hidden = T.CreateChecked(-1e30);

    private readonly int h, n, d, heads, width, columns, vocabulary, positions, reach;
    private readonly double scoreScale;
    private readonly bool laned;
    private readonly Layer[] layers;
    private readonly int[] layersOf = new int[2];
    private readonly NormWeights<T> finalNorm;
    private readonly T* table, places; // (V, h), (P, h)
    private readonly T* scoring; // (h, columns)
    private readonly List<long>[] free = [[], []];
    private void* weights;
    private Sequence[] sequences = [];

    public DecodingPasses(DecodingModel model)
    {
        (heads, scoreScale) = (model.Heads, model.ScoreScale);
        (h, n) = ((int)model.Tokens.size(1), (int)model.Layers[0].Expand.size(0));
        (vocabulary, positions) = ((int)model.Tokens.size(0), (int)model.Places.size(0));
        d = h / heads;
        int lanes = TLanes.Count;
        // A lane per head, or heads of whole vectors: whichever leaves fewer lanes idle.
        laned = (long)Whole(heads) * d <= (long)heads * Whole(d);
        width = laned ? Whole(heads) * d : heads * Whole(d);
        columns = Whole(vocabulary);
        reach = model.Windows.Max();

        long each = Rounded(3L * h * width) + Rounded((long)h * width) + 2 * Rounded((long)h * n) + 6 * Rounded(h) + Rounded(n);
        long numbers = model.Layers.Count * each + Rounded((long)h * columns) + 2 * Rounded(h) + Rounded(model.Tokens.numel()) + Rounded(model.Places.numel());
        weights = NativeMemory.AlignedAlloc((nuint)(numbers * sizeof(T)), 64);
        NativeMemory.Clear(weights, (nuint)(numbers * sizeof(T)));
        T* next = (T*)weights;
        T* Take(long count)
        {
            T* piece = next;
            next += Rounded(count);
            return piece;
        }
        static void Copy(Tensor from, T* to)
        {
            using TensorMemory memory = new(from);
            new ReadOnlySpan<T>((void*)memory.Address, (int)from.numel()).CopyTo(new Span<T>(to, (int)from.numel()));
        }
        static void Transposed(Tensor matrix, T* to, int stride)
        {
            using TensorMemory memory = new(matrix);
            int rows = (int)matrix.size(0), inner = (int)matrix.size(1);
            Products<TLanes, T>.Transpose(rows, inner, (T*)memory.Address, inner, to, stride);
        }
        T epsilon = T.CreateChecked(model.Epsilon);
        layers = new Layer[model.Layers.Count];
        for (int l = 0; l < layers.Length; l++)
        {
            BlockWeights w = model.Layers[l];
            int kind = model.Windows[l] > 0 ? Local : Global;
            var layer = layers[l] = new Layer
            {
                Norm1 = new NormWeights<T>(Take(h), Take(h), epsilon),
                Norm2 = new NormWeights<T>(Take(h), Take(h), epsilon),
                QueryKeyValue = Take(3L * h * width),
                Projection = Take((long)h * width),
                ProjectionBias = Take(h),
                Expand = Take((long)h * n),
                ExpandBias = Take(n),
                Contract = Take((long)n * h),
                ContractBias = Take(h),
                Window = model.Windows[l],
                Kind = kind,
                Offset = 2L * Page * width * layersOf[kind]++,
            };
            Copy(w.Norm1Weight, layer.Norm1.Weight);
            Copy(w.Norm1Bias, layer.Norm1.Bias);
            Copy(w.Norm2Weight, layer.Norm2.Weight);
            Copy(w.Norm2Bias, layer.Norm2.Bias);
            PlacedColumns(w.QueryKeyValue, layer.QueryKeyValue);
            PlacedRows(w.Projection, layer.Projection);
            Copy(w.ProjectionBias, layer.ProjectionBias);
            Transposed(w.Expand, layer.Expand, n);
            Copy(w.ExpandBias, layer.ExpandBias);
            Transposed(w.Contract, layer.Contract, h);
            Copy(w.ContractBias, layer.ContractBias);
        }
        finalNorm = new NormWeights<T>(Take(h), Take(h), epsilon);
        Copy(model.NormWeight, finalNorm.Weight);
        Copy(model.NormBias, finalNorm.Bias);
        table = Take(model.Tokens.numel());
        Copy(model.Tokens, table);
        places = Take(model.Places.numel());
        Copy(model.Places, places);
        scoring = Take((long)h * columns);
        Transposed(model.Tokens, scoring, columns);
        if (model.LogitScale == 1) return;
        T factor = T.CreateChecked(model.LogitScale);
        for (long i = 0; i < (long)h * columns; i++) scoring[i] *= factor;

        int Whole(int count) => (count + lanes - 1) / lanes * lanes;
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
        if (Length >= positions) throw new InvalidOperationException($"the model has no position {Length}");
        foreach (long id in ids)
            if ((ulong)id >= (ulong)vocabulary) throw new ArgumentOutOfRangeException(nameof(ids), id, $"not one of {vocabulary} tokens");
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
        T* place = places + (long)Length * h;
        int rows = end - first, most = Math.Min(Group, rows);
        long scores = (long)(Length + TLanes.Count) * (laned ? TLanes.Count : 1);
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
            T* row = x + (long)r * h, token = table + ids[first + r] * h;
            for (int c = 0; c < h; c += TLanes.Count) TLanes.Store(row + c, TLanes.Add(TLanes.Load(token + c), TLanes.Load(place + c)));
        }
        foreach (Layer layer in layers)
            for (int g = 0; g < rows; g += Group) Forward(layer, first + g, Math.Min(Group, rows - g), x + (long)g * h, at);
        if (reader is null) return;
        for (int g = 0; g < rows; g += Group)
        {
            int count = Math.Min(Group, rows - g);
            RowPasses<TLanes, T>.Norm(count, h, x + (long)g * h, finalNorm, null, null, null, at.Y, null, at.Reciprocal);
            Products<TLanes, T>.Multiply(count, columns, h, at.Y, h, scoring, columns, at.Wide, columns);
            for (int r = 0; r < count; r++) reader.Read(first + g + r, new Span<T>(at.Wide + (long)r * columns, vocabulary));
        }
    }

    private void Forward(Layer layer, int first, int count, T* x, in Temporaries at)
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
            if (laned) for (int feature = 0; feature < width; feature += d * TLanes.Count) AttendLanes(cache, q, feature, output, at.Scores);
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
            greatest = Dot(q + feature, keys, count, at, greatest);
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
            WeightedSum(at, values, count, sum);
            at += count * lanes;
            t += count;
        }
        TLanes reciprocal = TLanes.Reciprocal(total);
        for (int c = 0; c < d * lanes; c += lanes) TLanes.Store(sum + c, TLanes.Multiply(TLanes.Load(sum + c), reciprocal));
    }

    /// <summary>result[r][lane] = sum_c vector[c][lane] rows[r][c][lane]; the greatest so far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private TLanes Dot(T* vector, T* rows, int count, T* result, TLanes greatest)
    {
        int lanes = TLanes.Count, r = 0;
        long stride = width, wide = d * lanes;
        for (; r + 4 <= count; r += 4, rows += 4 * stride, result += 4 * lanes)
        {
            T* row1 = rows + stride, row2 = row1 + stride, row3 = row2 + stride;
            TLanes v = TLanes.Load(vector);
            TLanes s0 = TLanes.Multiply(v, TLanes.Load(rows)), s1 = TLanes.Multiply(v, TLanes.Load(row1));
            TLanes s2 = TLanes.Multiply(v, TLanes.Load(row2)), s3 = TLanes.Multiply(v, TLanes.Load(row3));
            for (long c = lanes; c < wide; c += lanes)
            {
                v = TLanes.Load(vector + c);
                s0 = TLanes.Fma(v, TLanes.Load(rows + c), s0);
                s1 = TLanes.Fma(v, TLanes.Load(row1 + c), s1);
                s2 = TLanes.Fma(v, TLanes.Load(row2 + c), s2);
                s3 = TLanes.Fma(v, TLanes.Load(row3 + c), s3);
            }
            TLanes.Store(result, s0);
            TLanes.Store(result + lanes, s1);
            TLanes.Store(result + 2 * lanes, s2);
            TLanes.Store(result + 3 * lanes, s3);
            greatest = TLanes.Max(TLanes.Max(greatest, s0), TLanes.Max(s1, TLanes.Max(s2, s3)));
        }
        for (; r < count; r++, rows += stride, result += lanes)
        {
            TLanes s = TLanes.Multiply(TLanes.Load(vector), TLanes.Load(rows));
            for (long c = lanes; c < wide; c += lanes) s = TLanes.Fma(TLanes.Load(vector + c), TLanes.Load(rows + c), s);
            TLanes.Store(result, s);
            greatest = TLanes.Max(greatest, s);
        }
        return greatest;
    }

    /// <summary>result[c][lane] += sum_r weights[r][lane] rows[r][c][lane]</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WeightedSum(T* weights, T* rows, int count, T* result)
    {
        int lanes = TLanes.Count, c = 0;
        long stride = width;
        for (; c + 4 <= d; c += 4, rows += 4 * lanes, result += 4 * lanes)
        {
            TLanes s0 = TLanes.Load(result), s1 = TLanes.Load(result + lanes), s2 = TLanes.Load(result + 2 * lanes), s3 = TLanes.Load(result + 3 * lanes);
            T* row = rows;
            for (int r = 0; r < count; r++, row += stride)
            {
                TLanes w = TLanes.Load(weights + r * lanes);
                s0 = TLanes.Fma(w, TLanes.Load(row), s0);
                s1 = TLanes.Fma(w, TLanes.Load(row + lanes), s1);
                s2 = TLanes.Fma(w, TLanes.Load(row + 2 * lanes), s2);
                s3 = TLanes.Fma(w, TLanes.Load(row + 3 * lanes), s3);
            }
            TLanes.Store(result, s0);
            TLanes.Store(result + lanes, s1);
            TLanes.Store(result + 2 * lanes, s2);
            TLanes.Store(result + 3 * lanes, s3);
        }
        for (; c + 2 <= d; c += 2, rows += 2 * lanes, result += 2 * lanes)
        {
            // Two rows at a time: two chains of sums alone would wait for themselves.
            TLanes s0 = TLanes.Load(result), s1 = TLanes.Load(result + lanes), t0 = TLanes.Zero, t1 = t0;
            T* row = rows;
            int r = 0;
            for (; r + 2 <= count; r += 2, row += 2 * stride)
            {
                TLanes w = TLanes.Load(weights + r * lanes), u = TLanes.Load(weights + (r + 1) * lanes);
                s0 = TLanes.Fma(w, TLanes.Load(row), s0);
                s1 = TLanes.Fma(w, TLanes.Load(row + lanes), s1);
                t0 = TLanes.Fma(u, TLanes.Load(row + stride), t0);
                t1 = TLanes.Fma(u, TLanes.Load(row + stride + lanes), t1);
            }
            if (r < count)
            {
                TLanes w = TLanes.Load(weights + r * lanes);
                s0 = TLanes.Fma(w, TLanes.Load(row), s0);
                s1 = TLanes.Fma(w, TLanes.Load(row + lanes), s1);
            }
            TLanes.Store(result, TLanes.Add(s0, t0));
            TLanes.Store(result + lanes, TLanes.Add(s1, t1));
        }
        if (c == d) return;
        TLanes sum = TLanes.Load(result);
        for (int r = 0; r < count; r++, rows += stride) sum = TLanes.Fma(TLanes.Load(weights + r * lanes), TLanes.Load(rows), sum);
        TLanes.Store(result, sum);
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
            if (layersOf[kind] == 0) continue;
            List<long> pages = sequence.Pages[kind];
            if (kind == Local)
            {
                while ((sequence.Dropped + 1) * Page <= Length + 1 - reach)
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

    private nuint PageBytes(int kind) => (nuint)(2L * Page * width * layersOf[kind] * sizeof(T));

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
        NativeMemory.AlignedFree(weights);
        weights = null;
    }

    private static long Rounded(long count) => BlockParts.Rounded(count);

    /// <summary>Where a feature of queries, keys, values and attention goes.</summary>
    private int Place(int feature)
    {
        int head = feature / d, c = feature % d, lanes = TLanes.Count;
        return laned ? (head / lanes * d + c) * lanes + head % lanes : head * (width / heads) + c;
    }

    /// <summary>(h, 3 width) of (3 h, h); queries are scaled, for powers of two.</summary>
    private void PlacedColumns(Tensor matrix, T* to)
    {
        using TensorMemory memory = new(matrix);
        T* from = (T*)memory.Address;
        T scale = T.CreateChecked(scoreScale * 1.4426950408889634); // log2 e
        for (int row = 0; row < 3 * h; row++)
        {
            int part = row / h, column = part * width + Place(row % h);
            for (int c = 0; c < h; c++)
            {
                T value = from[(long)row * h + c];
                to[3L * c * width + column] = part == 0 ? value * scale : value;
            }
        }
    }

    /// <summary>(width, h) of (h, h).</summary>
    private void PlacedRows(Tensor matrix, T* to)
    {
        using TensorMemory memory = new(matrix);
        T* from = (T*)memory.Address;
        for (int c = 0; c < h; c++)
        {
            T* row = to + (long)Place(c) * h;
            for (int r = 0; r < h; r++) row[r] = from[(long)r * h + c];
        }
    }

    private sealed class Layer
    {
        public NormWeights<T> Norm1 { get; init; }

        public NormWeights<T> Norm2 { get; init; }

        public T* QueryKeyValue { get; init; }

        public T* Projection { get; init; }

        public T* ProjectionBias { get; init; }

        public T* Expand { get; init; }

        public T* ExpandBias { get; init; }

        public T* Contract { get; init; }

        public T* ContractBias { get; init; }

        /// <summary>0: none.</summary>
        public int Window { get; init; }

        public int Kind { get; init; }

        /// <summary>Of its keys in a page of its kind; its values are <see cref="Page"/> rows further.</summary>
        public long Offset { get; init; }
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
    private readonly struct Cache(Sequence sequence, Layer layer, int width, int position)
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
}

/// <summary>What is done with a sequence's scores as soon as they are there. Different rows may come at once.</summary>
internal interface IScoreReader
{
    /// <param name="row">Which sequence.</param>
    /// <param name="scores">(V), to be read, or written over, during the call.</param>
    void Read<T>(int row, Span<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>What a <see cref="DecodingPasses{TLanes,T}"/> works with. Tensors stay the caller's, and as they are.</summary>
/// <param name="Tokens">(V, h); also what scores are made by.</param>
/// <param name="Places">(P, h)</param>
/// <param name="Layers">In their order.</param>
/// <param name="Windows">Of the layers; 0: unlimited.</param>
/// <param name="NormWeight">(h), of the final norm.</param>
/// <param name="NormBias">(h)</param>
/// <param name="Heads">Divides h.</param>
/// <param name="ScoreScale">Factor on attention's scores.</param>
/// <param name="LogitScale">Factor on the scores of the next token.</param>
/// <param name="Epsilon">Of the norms.</param>
internal sealed record DecodingModel(Tensor Tokens, Tensor Places, IReadOnlyList<BlockWeights> Layers, IReadOnlyList<int> Windows, Tensor NormWeight,
    Tensor NormBias, int Heads, double ScoreScale, double LogitScale, double Epsilon)
{
    // Wider models read their weights from memory at every step: there all threads should share each product.
    internal const int WidestOfUse = 256;

    /// <summary>Whether there is such a pass: as for a layer's.</summary>
    public bool HasPasses => TransformerBlockHost.Has(Heads, Layers[0], Tokens);

    public bool Pays => Tokens.size(1) <= WidestOfUse;

    public IDecodingPasses Passes() => (Tokens.dtype, TransformerBlockHost.Lanes(Tokens.dtype, Heads)) switch
    {
        (ScalarType.Float32, 16) => new DecodingPasses<SingleLanes16, float>(this),
        (ScalarType.Float32, _) => new DecodingPasses<SingleLanes8, float>(this),
        (ScalarType.Float64, 8) => new DecodingPasses<DoubleLanes8, double>(this),
        _ => new DecodingPasses<DoubleLanes4, double>(this),
    };
}
