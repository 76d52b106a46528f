using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// Forward and backward of a layer on raw memory. Molecules go through it in parts of about <see cref="BlockParts.Tokens"/> tokens; gradients by the
/// weights are summed per share, consecutive parts in their order, then over shares in theirs. Parts and shares follow from the data alone, so
/// results do not depend on the number of threads or on which of them did what.
/// </summary>
internal sealed unsafe class BlockPasses<TLanes, T> : IBlockPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Fewer weights are laid out sooner than a second thread is woken for it.
    private const int FewWeights = 1 << 16;

    private readonly BlockShape shape;
    private readonly int h, n, heads, d, tokens;
    private readonly bool laned;
    private readonly int[] lanePlaces;
    private readonly int[] parts;
    private readonly AttentionShape attention;
    private readonly T epsilon;

    public BlockPasses(BlockShape shape)
    {
        this.shape = shape;
        (h, n, heads, d, tokens) = (shape.Width, shape.Inner, shape.Settings.Heads, shape.HeadWidth, shape.Tokens);
        laned = heads % TLanes.Count == 0;
        lanePlaces = laned ? LanePlaces() : [];
        parts = shape.Rows.Parts(BlockParts.Tokens);
        attention = new AttentionShape(shape.Rows, heads, d, shape.Settings.Window, shape.Settings.Scale);
        epsilon = T.CreateChecked(shape.Settings.Epsilon);
    }

    private int Parts => parts.Length - 1;

    public (Tensor Output, Tensor? Kept) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor x = inputs[0]!, output = empty_like(x);
        // Without a backward pass to come every part could reuse what the last one wrote, but long molecules' rows are found by their place.
        Tensor kept = empty(Kept.Numbers(this), dtype: x.dtype);
        using TensorMemory ofX = new(x), ofOutput = new(output), ofKept = new(kept);
        Pointers w = Addresses(inputs);
        using Workspace packed = Workspace.Rent(Workspace.Size<T>(3L * h * h) + Workspace.Size<T>((long)h * h) + 2 * Workspace.Size<T>((long)n * h));
        Pack(w, packed, out Matrices matrices);
        T* px = (T*)ofX.Address, po = (T*)ofOutput.Address, pk = (T*)ofKept.Address;
        TorchThreads.For(Parts, part => ForwardPart(part, px, po, new Kept(this, pk), w, matrices));
        GC.KeepAlive(inputs);
        if (keep) return (output, kept);
        kept.Dispose();
        return (output, null);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor kept, Tensor gradient)
    {
        Tensor x = inputs[0]!, byX = empty_like(x);
        int shares = Shares();
        long size = ShareNumbers();
        var results = new Tensor?[inputs.Length];
        results[0] = byX;
        var places = new GradientPlace[inputs.Length];
        for (int i = 1; i < inputs.Length; i++)
        {
            if (inputs[i]!.requires_grad) places[i] = RunScope.Current.PlaceOf(inputs[i]!);
            if (places[i].All is null) results[i] = empty_like(inputs[i]!);
        }
        using TensorMemory ofX = new(x), ofByX = new(byX), ofKept = new(kept), ofGradient = new(gradient);
        Pointers w = Addresses(inputs), into = Addresses(results, places);
        using Workspace turned = Workspace.Rent(laned ? Workspace.Size<T>(3L * h * h) + Workspace.Size<T>((long)h * h) : 0);
        using Workspace sums = Workspace.Rent((nuint)shares * Workspace.Size<T>(size));
        T* px = (T*)ofX.Address, pb = (T*)ofByX.Address, pk = (T*)ofKept.Address, pg = (T*)ofGradient.Address;
        Matrices matrices = new() { QueryKeyValue = w.QueryKeyValue, Projection = w.Projection, Expand = w.Expand, Contract = w.Contract };
        if (laned)
        {
            matrices.QueryKeyValue = turned.Take<T>(3L * h * h);
            matrices.Projection = turned.Take<T>((long)h * h);
            for (int row = 0; row < 3 * h; row++)
                Unsafe.CopyBlock(matrices.QueryKeyValue + (long)lanePlaces[row] * h, w.QueryKeyValue + (long)row * h, (uint)(h * sizeof(T)));
            for (int row = 0; row < h; row++)
                for (int c = 0; c < h; c++) matrices.Projection[(long)row * h + lanePlaces[c]] = w.Projection[(long)row * h + c];
        }
        T* first = sums.Take<T>(shares * (long)(Workspace.Size<T>(size) / (nuint)sizeof(T)));
        long stride = (long)(Workspace.Size<T>(size) / (nuint)sizeof(T));
        TorchThreads.For(shares, share =>
        {
            var by = new Share(this, first + share * stride);
            by.Clear(this);
            int from = (int)((long)Parts * share / shares), to = (int)((long)Parts * (share + 1) / shares);
            for (int part = from; part < to; part++) BackwardPart(part, part > from, px, pb, pg, new Kept(this, pk), w, matrices, by);
        });
        Gather(new Share(this, first), stride, shares, into, places);
        GC.KeepAlive(inputs);
        GC.KeepAlive(results);
        GC.KeepAlive(places);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i]!.requires_grad) continue;
            results[i]?.Dispose();
            results[i] = null;
        }
        return results;
    }

    private int Shares() => BlockParts.Shares(Parts, ShareNumbers() * sizeof(T));

    private long ShareNumbers() => 4L * h * h + 2L * n * h + 6L * h + n;

    /// <summary>Where each feature of queries, keys, values and attention goes so that each head has a lane.</summary>
    private int[] LanePlaces()
    {
        var places = new int[3 * h];
        int lanes = TLanes.Count;
        for (int row = 0; row < places.Length; row++)
        {
            int part = row / h, feature = row % h, head = feature / d, c = feature % d;
            places[row] = part * h + (head / lanes * d + c) * lanes + head % lanes;
        }
        return places;
    }

    /// <summary>Matrices as the forward products read them: (in, out).</summary>
    private void Pack(Pointers w, Workspace workspace, out Matrices matrices)
    {
        var m = new Matrices
        {
            QueryKeyValue = workspace.Take<T>(3L * h * h),
            Projection = workspace.Take<T>((long)h * h),
            Expand = workspace.Take<T>((long)n * h),
            Contract = workspace.Take<T>((long)n * h),
        };
        void One(int which)
        {
            switch (which)
            {
                case 0: Products<TLanes, T>.Transpose(n, h, w.Expand, h, m.Expand, n); break;
                case 1: Products<TLanes, T>.Transpose(h, n, w.Contract, n, m.Contract, h); break;
                case 2 when !laned: Products<TLanes, T>.Transpose(3 * h, h, w.QueryKeyValue, h, m.QueryKeyValue, 3 * h); break;
                case 2:
                    for (int row = 0; row < 3 * h; row++)
                    {
                        T* from = w.QueryKeyValue + (long)row * h, to = m.QueryKeyValue + lanePlaces[row];
                        for (int c = 0; c < h; c++) to[c * 3L * h] = from[c];
                    }
                    break;
                case 3 when !laned: Products<TLanes, T>.Transpose(h, h, w.Projection, h, m.Projection, h); break;
                default:
                    for (int c = 0; c < h; c++)
                    {
                        T* to = m.Projection + (long)lanePlaces[c] * h;
                        for (int row = 0; row < h; row++) to[row] = w.Projection[(long)row * h + c];
                    }
                    break;
            }
        }
        if ((long)n * h > FewWeights) TorchThreads.For(4, One);
        else for (int i = 0; i < 4; i++) One(i);
        matrices = m;
    }

    private void ForwardPart(int part, T* x, T* output, in Kept kept, in Pointers w, in Matrices m)
    {
        int first = shape.Rows.Starts[parts[part]], count = shape.Rows.Starts[parts[part + 1]] - first;
        long at = (long)first * h;
        using Workspace workspace = Workspace.Rent(Workspace.Size<T>((long)count * h) + Workspace.Size<T>((long)count * n) + AttentionScratch());
        T* y = workspace.Take<T>((long)count * h), inner = workspace.Take<T>((long)count * n);
        T* scratch = laned ? workspace.Take<T>(HeadLanes<TLanes, T>.Scratch(shape.Rows.Longest)) : null;
        T* o = output + at, qkv = kept.QueryKeyValue + 3 * at, u = kept.Inner + (long)first * n;
        var norm1 = new NormWeights<T>(w.Norm1Weight, w.Norm1Bias, epsilon);
        RowPasses<TLanes, T>.Norm(count, h, x + at, norm1, w.ProjectionBias, o, null, y, kept.Mean + first, kept.Reciprocal1 + first);
        Products<TLanes, T>.Multiply(count, 3 * h, h, y, h, m.QueryKeyValue, 3 * h, qkv, 3 * h);
        for (int b = parts[part]; b < parts[part + 1]; b++) Attend(b, kept, scratch);
        Products<TLanes, T>.Multiply(count, h, h, kept.Attended + at, h, m.Projection, h, o, h, add: true);
        var norm2 = new NormWeights<T>(w.Norm2Weight, w.Norm2Bias, epsilon);
        RowPasses<TLanes, T>.Norm(count, h, o, norm2, w.ContractBias, o, kept.Normalized2 + at, y, null, kept.Reciprocal2 + first);
        Products<TLanes, T>.Multiply(count, n, h, y, h, m.Expand, n, u, n);
        RowPasses<TLanes, T>.Gelu(count, n, u, w.ExpandBias, inner);
        Products<TLanes, T>.Multiply(count, h, n, inner, n, m.Contract, h, o, h, add: true);
        GC.KeepAlive(this);
    }

    private void BackwardPart(int part, bool add, T* x, T* byX, T* gradient, in Kept kept, in Pointers w, in Matrices m, in Share by)
    {
        int first = shape.Rows.Starts[parts[part]], count = shape.Rows.Starts[parts[part + 1]] - first;
        long at = (long)first * h, wide = (long)count * h, full = (long)count * n;
        using Workspace workspace = Workspace.Rent(3 * Workspace.Size<T>(wide) + 2 * Workspace.Size<T>(Math.Max(full, 3 * wide)) + AttentionScratch());
        T* byInner = workspace.Take<T>(Math.Max(full, 3 * wide)), inner = workspace.Take<T>(Math.Max(full, 3 * wide));
        T* byY = workspace.Take<T>(wide), y = workspace.Take<T>(wide), normalized = workspace.Take<T>(wide);
        T* scratch = laned ? workspace.Take<T>(HeadLanes<TLanes, T>.Scratch(shape.Rows.Longest)) : null;
        T* g = gradient + at, bx = byX + at;

        Products<TLanes, T>.Multiply(count, n, h, g, h, m.Contract, n, byInner, n);
        RowPasses<TLanes, T>.GeluBackward(count, n, kept.Inner + (long)first * n, w.ExpandBias, byInner, inner, by.ExpandBias);
        Products<TLanes, T>.MultiplyTransposed(h, n, count, g, h, inner, n, by.Contract, n, add);
        RowPasses<TLanes, T>.AddRows(count, h, g, by.ContractBias);
        Products<TLanes, T>.Multiply(count, h, n, byInner, n, m.Expand, h, byY, h);
        var norm2 = new NormWeights<T>(w.Norm2Weight, w.Norm2Bias, epsilon);
        RowPasses<TLanes, T>.NormAgain(count, h, kept.Normalized2 + at, null, null, norm2, null, y);
        Products<TLanes, T>.MultiplyTransposed(n, h, count, byInner, n, y, h, by.Expand, h, add);
        RowPasses<TLanes, T>.NormBackward(count, h, byY, kept.Normalized2 + at, kept.Reciprocal2 + first, w.Norm2Weight, g, bx, by.Norm2Weight, by.Norm2Bias);

        RowPasses<TLanes, T>.AddRows(count, h, bx, by.ProjectionBias);
        Products<TLanes, T>.MultiplyTransposed(h, h, count, bx, h, kept.Attended + at, h, by.Projection, h, add);
        Products<TLanes, T>.Multiply(count, h, h, bx, h, m.Projection, h, byY, h);
        T* byQkv = byInner;
        for (int b = parts[part]; b < parts[part + 1]; b++) AttendBackward(b, first, kept, byY, byQkv, scratch);
        var norm1 = new NormWeights<T>(w.Norm1Weight, w.Norm1Bias, epsilon);
        RowPasses<TLanes, T>.NormAgain(count, h, x + at, kept.Mean + first, kept.Reciprocal1 + first, norm1, normalized, y);
        Products<TLanes, T>.MultiplyTransposed(3 * h, h, count, byQkv, 3 * h, y, h, by.QueryKeyValue, h, add);
        Products<TLanes, T>.Multiply(count, h, 3 * h, byQkv, 3 * h, m.QueryKeyValue, h, byY, h);
        RowPasses<TLanes, T>.NormBackward(count, h, byY, normalized, kept.Reciprocal1 + first, w.Norm1Weight, bx, bx, by.Norm1Weight, by.Norm1Bias);
        GC.KeepAlive(this);
    }

    private nuint AttentionScratch() => laned ? Workspace.Size<T>(HeadLanes<TLanes, T>.Scratch(shape.Rows.Longest)) : 0;

    private HeadShape Head(int molecule) =>
        new(shape.Rows.Starts[molecule + 1] - shape.Rows.Starts[molecule], d, shape.Settings.Window, shape.Settings.Scale);

    private void Attend(int molecule, in Kept kept, T* scratch)
    {
        if (!laned)
        {
            if (ManyHeads) Each<ManyHeadsTask<TLanes, T>>(molecule, kept);
            else Each<FewHeadsTask<TLanes, T>>(molecule, kept);
            return;
        }
        HeadShape head = Head(molecule);
        long first = shape.Rows.Starts[molecule];
        for (int feature = 0, lane = 0; feature < h; feature += d * TLanes.Count, lane += TLanes.Count)
        {
            T* q = kept.QueryKeyValue + 3 * first * h + feature;
            HeadLanes<TLanes, T>.Forward(head, q, q + h, q + 2 * h, 3L * h, kept.Attended + first * h + feature, h, kept.LogSum + first * heads + lane, heads, scratch);
        }

        void Each<TTask>(int b, in Kept k)
            where TTask : IAttentionTask<T>
        {
            int tasks = TTask.TasksPerMolecule(heads);
            for (int task = 0; task < tasks; task++) TTask.Forward(attention, b * tasks + task, k.QueryKeyValue, k.Attended, k.LogSum);
        }
    }

    /// <param name="molecule">Which.</param>
    /// <param name="partFirst">The first token of the part, where the next two begin.</param>
    /// <param name="kept">Of the whole batch.</param>
    /// <param name="up">(part, h)</param>
    /// <param name="byQkv">(part, 3 h), written.</param>
    /// <param name="scratch">For lanes of heads.</param>
    private void AttendBackward(int molecule, int partFirst, in Kept kept, T* up, T* byQkv, T* scratch)
    {
        if (!laned)
        {
            if (ManyHeads) Each<ManyHeadsTask<TLanes, T>>(molecule, kept);
            else Each<FewHeadsTask<TLanes, T>>(molecule, kept);
            return;
        }
        HeadShape head = Head(molecule);
        long first = shape.Rows.Starts[molecule], own = first - partFirst;
        for (int feature = 0, lane = 0; feature < h; feature += d * TLanes.Count, lane += TLanes.Count)
        {
            T* q = kept.QueryKeyValue + 3 * first * h + feature;
            HeadLanes<TLanes, T>.Backward(head, q, q + h, q + 2 * h, 3L * h, kept.Attended + first * h + feature, up + own * h + feature, h,
                kept.LogSum + first * heads + lane, heads, byQkv + 3 * own * h + feature, h, scratch);
        }

        void Each<TTask>(int b, in Kept k)
            where TTask : IAttentionTask<T>
        {
            // Tasks find rows by their place in the batch.
            int tasks = TTask.TasksPerMolecule(heads);
            T* u = up - (long)partFirst * h, target = byQkv - 3L * partFirst * h;
            for (int task = 0; task < tasks; task++)
                TTask.Backward(attention, b * tasks + task, k.QueryKeyValue, k.Attended, k.LogSum, u, target);
        }
    }

    /// <summary>A lane per head where that leaves at most half of them idle.</summary>
    private bool ManyHeads => 2 * heads >= TLanes.Count;

    /// <summary>Sums over shares, in their order, put where torch has them.</summary>
    private void Gather(Share by, long stride, int shares, Pointers into, GradientPlace[] places)
    {
        const int Rows = 64;
        int wide = (3 * h + Rows - 1) / Rows, square = (h + Rows - 1) / Rows, expand = (n + Rows - 1) / Rows;
        int count = wide + square + expand + square + 1;
        TorchThreads.For(count, task =>
        {
            if (task < wide)
            {
                for (int row = task * Rows; row < Math.Min(3 * h, (task + 1) * Rows); row++)
                    Sum(by.QueryKeyValue + (long)(laned ? lanePlaces[row] : row) * h, into.QueryKeyValue + (long)row * h, h, stride, shares, places[3].Add);
                return;
            }
            task -= wide;
            if (task < square)
            {
                for (int row = task * Rows; row < Math.Min(h, (task + 1) * Rows); row++)
                {
                    if (!laned) Sum(by.Projection + (long)row * h, into.Projection + (long)row * h, h, stride, shares, places[4].Add);
                    else SumPlaced(by.Projection + (long)row * h, into.Projection + (long)row * h, stride, shares, places[4].Add);
                }
                return;
            }
            task -= square;
            if (task < expand)
            {
                int row = task * Rows;
                Sum(by.Expand + (long)row * h, into.Expand + (long)row * h, (long)(Math.Min(n, row + Rows) - row) * h, stride, shares, places[8].Add);
                return;
            }
            task -= expand;
            if (task < square)
            {
                int row = task * Rows;
                Sum(by.Contract + (long)row * n, into.Contract + (long)row * n, (long)(Math.Min(h, row + Rows) - row) * n, stride, shares, places[10].Add);
                return;
            }
            Sum(by.Norm1Weight, into.Norm1Weight, h, stride, shares, places[1].Add);
            Sum(by.Norm1Bias, into.Norm1Bias, h, stride, shares, places[2].Add);
            Sum(by.ProjectionBias, into.ProjectionBias, h, stride, shares, places[5].Add);
            Sum(by.Norm2Weight, into.Norm2Weight, h, stride, shares, places[6].Add);
            Sum(by.Norm2Bias, into.Norm2Bias, h, stride, shares, places[7].Add);
            Sum(by.ExpandBias, into.ExpandBias, n, stride, shares, places[9].Add);
            Sum(by.ContractBias, into.ContractBias, h, stride, shares, places[11].Add);
        });
    }

    private static void Sum(T* of, T* to, long count, long stride, int shares, bool add) => RowPasses<TLanes, T>.AddShares(of, to, count, stride, shares, add);

    private void SumPlaced(T* of, T* to, long stride, int shares, bool add)
    {
        for (int c = 0; c < h; c++)
        {
            T* from = of + lanePlaces[c];
            T sum = *from;
            for (int share = 1; share < shares; share++) sum += from[share * stride];
            to[c] = add ? to[c] + sum : sum;
        }
    }

    private struct Matrices
    {
        public T* QueryKeyValue, Projection, Expand, Contract;
    }

    /// <summary>What the forward pass keeps of T tokens, in one piece of memory.</summary>
    private readonly struct Kept
    {
        public Kept(BlockPasses<TLanes, T> of, T* memory)
        {
            long t = of.tokens;
            T* next = memory;
            T* Take(long count)
            {
                T* piece = next;
                next += BlockParts.Rounded(count);
                return piece;
            }
            Mean = Take(t);
            Reciprocal1 = Take(t);
            Reciprocal2 = Take(t);
            LogSum = Take(t * of.heads);
            QueryKeyValue = Take(3 * t * of.h);
            Attended = Take(t * of.h);
            Normalized2 = Take(t * of.h);
            Inner = Take(t * of.n);
        }

        public T* Mean { get; }

        public T* Reciprocal1 { get; }

        public T* Reciprocal2 { get; }

        /// <summary>(T, heads) where heads are lanes, else (heads, T).</summary>
        public T* LogSum { get; }

        public T* QueryKeyValue { get; }

        public T* Attended { get; }

        public T* Normalized2 { get; }

        /// <summary>(T, n), without the bias.</summary>
        public T* Inner { get; }

        public static long Numbers(BlockPasses<TLanes, T> of)
        {
            long t = of.tokens;
            long wide = BlockParts.Rounded(3 * t * of.h) + 2 * BlockParts.Rounded(t * of.h) + BlockParts.Rounded(t * of.n);
            return 3 * BlockParts.Rounded(t) + BlockParts.Rounded(t * of.heads) + wide;
        }
    }

    /// <summary>Gradients by the weights of one share.</summary>
    private readonly struct Share
    {
        private readonly T* sums;

        public Share(BlockPasses<TLanes, T> of, T* memory)
        {
            long h = of.h, n = of.n;
            QueryKeyValue = memory;
            Projection = QueryKeyValue + 3 * h * h;
            Expand = Projection + h * h;
            Contract = Expand + n * h;
            sums = Contract + n * h;
            Norm1Weight = sums;
            Norm1Bias = sums + h;
            ProjectionBias = sums + 2 * h;
            Norm2Weight = sums + 3 * h;
            Norm2Bias = sums + 4 * h;
            ContractBias = sums + 5 * h;
            ExpandBias = sums + 6 * h;
        }

        public T* Norm1Weight { get; }

        public T* Norm1Bias { get; }

        public T* QueryKeyValue { get; }

        public T* Projection { get; }

        public T* ProjectionBias { get; }

        public T* Norm2Weight { get; }

        public T* Norm2Bias { get; }

        public T* Expand { get; }

        public T* ExpandBias { get; }

        public T* Contract { get; }

        public T* ContractBias { get; }

        /// <summary>Those that are added to; the first product overwrites the others.</summary>
        public void Clear(BlockPasses<TLanes, T> of) => new Span<T>(sums, 6 * of.h + of.n).Clear();
    }

    /// <summary>Where the weights lie, or gradients by them. Whoever asks keeps the tensors alive.</summary>
    private static Pointers Addresses(Tensor?[] tensors, GradientPlace[]? places = null)
    {
        return new Pointers
        {
            Norm1Weight = At(1),
            Norm1Bias = At(2),
            QueryKeyValue = At(3),
            Projection = At(4),
            ProjectionBias = At(5),
            Norm2Weight = At(6),
            Norm2Bias = At(7),
            Expand = At(8),
            ExpandBias = At(9),
            Contract = At(10),
            ContractBias = At(11),
        };

        T* At(int input)
        {
            GradientPlace place = tensors[input] is null ? places![input] : default;
            using var memory = new TensorMemory(tensors[input] ?? place.All);
            return (T*)memory.Address + place.Offset;
        }
    }

    private struct Pointers
    {
        public T* Norm1Weight, Norm1Bias, QueryKeyValue, Projection, ProjectionBias, Norm2Weight, Norm2Bias, Expand, ExpandBias, Contract, ContractBias;
    }
}

/// <summary>A layer's pass at one number type and vector width.</summary>
internal interface IBlockPasses
{
    /// <param name="inputs">x and the weights.</param>
    /// <param name="keep">Whether a backward pass may follow.</param>
    (Tensor Output, Tensor? Kept) Forward(Tensor?[] inputs, bool keep);

    /// <returns>Gradients by x and the weights; null where none is wanted.</returns>
    Tensor?[] Backward(Tensor?[] inputs, Tensor kept, Tensor gradient);
}
