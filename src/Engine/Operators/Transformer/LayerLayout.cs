using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// How a layer's weights lie where products read them, gradients by them where products leave them, and what a forward pass keeps. Where heads are
/// lanes, a fixed permutation of the features puts component c of all heads side by side.
/// </summary>
internal sealed unsafe class LayerLayout<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Fewer weights are laid out sooner than a second thread is woken for it.
    private const int FewWeights = 1 << 16;

    private readonly int h, n, heads;
    private readonly long tokens;
    private readonly int[] places;

    public LayerLayout(StackShape shape)
    {
        (h, n, heads, tokens) = (shape.Width, shape.Inner, shape.Heads, shape.Tokens);
        HasLanes = heads % TLanes.Count == 0;
        places = HasLanes ? Places(shape.HeadWidth) : [];
    }

    /// <summary>Whether each head has a lane.</summary>
    public bool HasLanes { get; }

    public nuint PackedBytes => Workspace.Size<T>(3L * h * h) + Workspace.Size<T>((long)h * h) + 2 * Workspace.Size<T>((long)n * h);

    public nuint TurnedBytes => HasLanes ? Workspace.Size<T>(3L * h * h) + Workspace.Size<T>((long)h * h) : 0;

    /// <summary>Numbers of a <see cref="LayerSums{T}"/>.</summary>
    public long SumNumbers => BlockParts.Rounded(4L * h * h + 2L * n * h + SmallNumbers);

    private long SmallNumbers => 6L * h + n;

    /// <summary>Matrices as the forward products read them: (in, out).</summary>
    public LayerMatrices<T> Pack(LayerPointers<T> w, Workspace workspace)
    {
        var m = new LayerMatrices<T>
        {
            QueryKeyValue = workspace.Take<T>(3L * h * h),
            Projection = workspace.Take<T>((long)h * h),
            Expand = workspace.Take<T>((long)n * h),
            Contract = workspace.Take<T>((long)n * h),
        };
        if ((long)n * h > FewWeights) TorchThreads.For(4, One);
        else for (int i = 0; i < 4; i++) One(i);
        return m;

        void One(int which)
        {
            switch (which)
            {
                case 0: Products<TLanes, T>.Transpose(n, h, w.Expand, h, m.Expand, n); break;
                case 1: Products<TLanes, T>.Transpose(h, n, w.Contract, n, m.Contract, h); break;
                case 2 when !HasLanes: Products<TLanes, T>.Transpose(3 * h, h, w.QueryKeyValue, h, m.QueryKeyValue, 3 * h); break;
                case 2:
                    for (int row = 0; row < 3 * h; row++)
                    {
                        T* from = w.QueryKeyValue + (long)row * h, to = m.QueryKeyValue + places[row];
                        for (int c = 0; c < h; c++) to[c * 3L * h] = from[c];
                    }
                    break;
                case 3 when !HasLanes: Products<TLanes, T>.Transpose(h, h, w.Projection, h, m.Projection, h); break;
                default:
                    for (int c = 0; c < h; c++)
                    {
                        T* to = m.Projection + (long)places[c] * h;
                        for (int row = 0; row < h; row++) to[row] = w.Projection[(long)row * h + c];
                    }
                    break;
            }
        }
    }

    /// <summary>Matrices as the backward products read them: (out, in), which is how torch has them.</summary>
    public LayerMatrices<T> Turn(in LayerPointers<T> w, Workspace workspace)
    {
        var m = new LayerMatrices<T> { QueryKeyValue = w.QueryKeyValue, Projection = w.Projection, Expand = w.Expand, Contract = w.Contract };
        if (!HasLanes) return m;
        m.QueryKeyValue = workspace.Take<T>(3L * h * h);
        m.Projection = workspace.Take<T>((long)h * h);
        for (int row = 0; row < 3 * h; row++)
            Unsafe.CopyBlock(m.QueryKeyValue + (long)places[row] * h, w.QueryKeyValue + (long)row * h, (uint)(h * sizeof(T)));
        for (int row = 0; row < h; row++)
            for (int c = 0; c < h; c++) m.Projection[(long)row * h + places[c]] = w.Projection[(long)row * h + c];
        return m;
    }

    public LayerSums<T> Sums(T* memory) => new()
    {
        QueryKeyValue = memory,
        Projection = memory + 3L * h * h,
        Expand = memory + 4L * h * h,
        Contract = memory + 4L * h * h + (long)n * h,
        Small = memory + 4L * h * h + 2L * n * h,
        Width = h,
    };

    /// <summary>Those that are added to; the first product overwrites the others.</summary>
    public void Clear(in LayerSums<T> sums) => new Span<T>(sums.Small, checked((int)SmallNumbers)).Clear();

    /// <summary>sums += more</summary>
    public void Add(in LayerSums<T> more, in LayerSums<T> sums, bool matrices)
    {
        Add(more.Small, sums.Small, SmallNumbers, 0, 1, add: true);
        if (!matrices) return;
        Add(more.QueryKeyValue, sums.QueryKeyValue, 3L * h * h, 0, 1, add: true);
        Add(more.Projection, sums.Projection, (long)h * h, 0, 1, add: true);
        Add(more.Expand, sums.Expand, (long)n * h, 0, 1, add: true);
        Add(more.Contract, sums.Contract, (long)n * h, 0, 1, add: true);
    }

    /// <summary>Sums over shares, in their order, put where torch has them.</summary>
    /// <param name="by">Of the first share.</param>
    /// <param name="stride">From share to share.</param>
    /// <param name="shares">How many.</param>
    /// <param name="into">Where gradients go; what lies there already stays.</param>
    /// <param name="add">Whether one is there to be added to, of each weight.</param>
    public void Gather(LayerSums<T> by, long stride, int shares, LayerPointers<T> into, bool[] add)
    {
        const int Rows = 64;
        int wide = (3 * h + Rows - 1) / Rows, square = (h + Rows - 1) / Rows, expand = (n + Rows - 1) / Rows;
        TorchThreads.For(wide + square + expand + square + 1, task =>
        {
            if (task < wide)
            {
                for (int row = task * Rows; row < Math.Min(3 * h, (task + 1) * Rows); row++)
                    Add(by.QueryKeyValue + (long)(HasLanes ? places[row] : row) * h, into.QueryKeyValue + (long)row * h, h, stride, shares, add[2]);
                return;
            }
            task -= wide;
            if (task < square)
            {
                for (int row = task * Rows; row < Math.Min(h, (task + 1) * Rows); row++)
                {
                    T* sum = by.Projection + (long)row * h, to = into.Projection + (long)row * h;
                    if (!HasLanes) Add(sum, to, h, stride, shares, add[3]);
                    else AddPlaced(sum, to, stride, shares, add[3]);
                }
                return;
            }
            task -= square;
            if (task < expand)
            {
                long row = task * Rows, count = (Math.Min(n, row + Rows) - row) * h;
                if (by.Expand != into.Expand) Add(by.Expand + row * h, into.Expand + row * h, count, stride, shares, add[7]);
                return;
            }
            task -= expand;
            if (task < square)
            {
                long row = task * Rows, count = (Math.Min(h, row + Rows) - row) * n;
                if (by.Contract != into.Contract) Add(by.Contract + row * n, into.Contract + row * n, count, stride, shares, add[9]);
                return;
            }
            Add(by.Norm1Weight, into.Norm1Weight, h, stride, shares, add[0]);
            Add(by.Norm1Bias, into.Norm1Bias, h, stride, shares, add[1]);
            Add(by.ProjectionBias, into.ProjectionBias, h, stride, shares, add[4]);
            Add(by.Norm2Weight, into.Norm2Weight, h, stride, shares, add[5]);
            Add(by.Norm2Bias, into.Norm2Bias, h, stride, shares, add[6]);
            Add(by.ExpandBias, into.ExpandBias, n, stride, shares, add[8]);
            Add(by.ContractBias, into.ContractBias, h, stride, shares, add[10]);
        });
    }

    /// <summary>Numbers that the forward pass keeps of a layer.</summary>
    /// <param name="input">Whether its input is among them.</param>
    public long KeptNumbers(bool input)
    {
        long wide = BlockParts.Rounded(3 * tokens * h) + (input ? 3 : 2) * BlockParts.Rounded(tokens * h) + BlockParts.Rounded(tokens * n);
        return 3 * BlockParts.Rounded(tokens) + BlockParts.Rounded(tokens * heads) + wide;
    }

    public LayerKept<T> Kept(T* memory)
    {
        T* next = memory;
        return new LayerKept<T>
        {
            Mean = Take(tokens),
            Reciprocal1 = Take(tokens),
            Reciprocal2 = Take(tokens),
            LogSum = Take(tokens * heads),
            QueryKeyValue = Take(3 * tokens * h),
            Attended = Take(tokens * h),
            Normalized2 = Take(tokens * h),
            Inner = Take(tokens * n),
            Input = Take(tokens * h),
        };

        T* Take(long count)
        {
            T* piece = next;
            next += BlockParts.Rounded(count);
            return piece;
        }
    }

    private static void Add(T* of, T* to, long count, long stride, int shares, bool add) => RowPasses<TLanes, T>.AddShares(of, to, count, stride, shares, add);

    private void AddPlaced(T* of, T* to, long stride, int shares, bool add)
    {
        for (int c = 0; c < h; c++)
        {
            T* from = of + places[c];
            T sum = *from;
            for (int share = 1; share < shares; share++) sum += from[share * stride];
            to[c] = add ? to[c] + sum : sum;
        }
    }

    /// <summary>Where each feature of queries, keys, values and attention goes so that each head has a lane.</summary>
    private int[] Places(int d)
    {
        var to = new int[3 * h];
        int lanes = TLanes.Count;
        for (int row = 0; row < to.Length; row++)
        {
            int part = row / h, feature = row % h, head = feature / d, c = feature % d;
            to[row] = part * h + (head / lanes * d + c) * lanes + head % lanes;
        }
        return to;
    }
}

/// <summary>Where the weights of a layer lie, or gradients by them: in the order of <see cref="BlockWeights"/>.</summary>
internal unsafe struct LayerPointers<T>
    where T : unmanaged
{
    public T* Norm1Weight, Norm1Bias, QueryKeyValue, Projection, ProjectionBias, Norm2Weight, Norm2Bias, Expand, ExpandBias, Contract, ContractBias;
}

internal unsafe struct LayerMatrices<T>
    where T : unmanaged
{
    public T* QueryKeyValue, Projection, Expand, Contract;
}

/// <summary>Gradients by the weights of a layer, in its own order of features.</summary>
internal unsafe struct LayerSums<T>
    where T : unmanaged
{
    /// <summary>(3 h, h), (h, h), (n, h), (h, n), and the vectors, one after the other.</summary>
    public T* QueryKeyValue, Projection, Expand, Contract, Small;

    /// <summary>h</summary>
    public int Width;

    public readonly T* Norm1Weight => Small;

    public readonly T* Norm1Bias => Small + Width;

    public readonly T* ProjectionBias => Small + 2 * Width;

    public readonly T* Norm2Weight => Small + 3 * Width;

    public readonly T* Norm2Bias => Small + 4 * Width;

    public readonly T* ContractBias => Small + 5 * Width;

    public readonly T* ExpandBias => Small + 6 * Width;
}

/// <summary>What the forward pass keeps of a layer and T tokens.</summary>
internal unsafe struct LayerKept<T>
    where T : unmanaged
{
    /// <summary>(T)</summary>
    public T* Mean, Reciprocal1, Reciprocal2;

    /// <summary>(T, heads) where heads are lanes, else (heads, T).</summary>
    public T* LogSum;

    /// <summary>(T, 3 h), (T, h), (T, h)</summary>
    public T* QueryKeyValue, Attended, Normalized2;

    /// <summary>(T, n), without the bias.</summary>
    public T* Inner;

    /// <summary>(T, h); the first layer's is the stack's own.</summary>
    public T* Input;
}
