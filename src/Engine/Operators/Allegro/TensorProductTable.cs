using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>Coefficients of a bilinear map of components: the sparse list of its terms, and the matrices that GEMMs want.</summary>
public sealed class TensorProductTable : IDisposable
{
    /// <summary>
    /// Multiplications per channel beyond which it pays to leave out those between outputs and features that never meet, although
    /// that takes more operations. At L = 2 one block is faster, at L = 3 blocks take half the time.
    /// </summary>
    private const long DenseLimit = 5000;

    private readonly TensorProductTerms?[] termsOf = new TensorProductTerms?[3];
    private readonly ScalarType dtype;
    private readonly Device? device;

    /// <param name="leftBlocks">Components of each representation of the first factor; I together.</param>
    /// <param name="right">J components of the second factor.</param>
    /// <param name="outputs">K components of the result.</param>
    /// <param name="entries">The terms; those of the same three components add up.</param>
    /// <param name="dtype">Of the factors.</param>
    /// <param name="device">null: the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">A term of components that are not there.</exception>
    public TensorProductTable(IReadOnlyList<int> leftBlocks, int right, int outputs, IReadOnlyList<TensorProductEntry> entries,
        ScalarType dtype, Device? device = null)
    {
        int left = leftBlocks.Sum();
        (this.dtype, this.device) = (dtype, device);
        (Left, Right, Outputs, Entries) = (left, right, outputs, entries);
        foreach (TensorProductEntry e in entries)
        {
            if ((uint)e.Left >= (uint)left || (uint)e.Right >= (uint)right || (uint)e.Output >= (uint)outputs)
                throw new ArgumentOutOfRangeException(nameof(entries), e, $"components of ({left}, {right}) to {outputs}");
        }
        IsDiagonal = left == right && entries.All(e => e.Left == e.Right);
        int[] blockOf = [.. leftBlocks.SelectMany((size, block) => Enumerable.Repeat(block, size))];
        TensorProductEntry[][] terms = [.. leftBlocks.Select((_, block) => entries.Where(e => blockOf[e.Left] == block).ToArray())];
        int[][] outputsOf = [.. terms.Select(t => t.Select(e => e.Output).Distinct().Order().ToArray())];
        int[] order = [.. outputsOf.SelectMany(o => o)];
        bool separable = order.Length == outputs && order.Distinct().Count() == outputs;
        if (IsDiagonal || !separable || (long)left * right * outputs <= DenseLimit)
        {
            BlockSizes = [left];
            Matrices = [Matrix(entries, 0, left, [.. Enumerable.Range(0, outputs)])];
        }
        else
        {
            BlockSizes = [.. leftBlocks.Select(size => (long)size)];
            Matrices = [.. terms.Select((t, block) => Matrix(t, Array.IndexOf(blockOf, block), leftBlocks[block], outputsOf[block]))];
            long[] places = [.. Enumerable.Range(0, outputs).Select(k => (long)Array.IndexOf(order, k))];
            OutputOrder = tensor(places, device: device).DetachFromDisposeScope();
        }

        Tensor Matrix(IReadOnlyList<TensorProductEntry> some, int first, int count, int[] rows)
        {
            var matrix = new double[rows.Length, IsDiagonal ? count : count * right];
            foreach (TensorProductEntry e in some)
                matrix[Array.IndexOf(rows, e.Output), IsDiagonal ? e.Left : (e.Left - first) * right + e.Right] += e.Value;
            return tensor(matrix, dtype: dtype, device: device).DetachFromDisposeScope();
        }
    }

    /// <summary>I</summary>
    public int Left { get; }

    /// <summary>J</summary>
    public int Right { get; }

    /// <summary>K</summary>
    public int Outputs { get; }

    public IReadOnlyList<TensorProductEntry> Entries { get; }

    /// <summary>Whether only equal components meet, as where everything is coupled to scalars.</summary>
    internal bool IsDiagonal { get; }

    /// <summary>Components of the first factor that each matrix takes.</summary>
    internal long[] BlockSizes { get; }

    /// <summary>(outputs of the block, components of the block times J), or one (K, I) of a diagonal product.</summary>
    internal IReadOnlyList<Tensor> Matrices { get; }

    /// <summary>(K) int64: where each output is among those of the blocks in turn; null: in its place.</summary>
    internal Tensor? OutputOrder { get; }

    /// <summary>The terms as they make one factor from the other two; made when first asked for.</summary>
    internal TensorProductTerms Terms(ProductFactor factor) => termsOf[(int)factor] ??= factor switch
    {
        ProductFactor.Output => new(Outputs, Left, Right, Entries.Select(e => (e.Output, e.Left, e.Right, e.Value)), dtype, device),
        ProductFactor.Left => new(Left, Outputs, Right, Entries.Select(e => (e.Left, e.Output, e.Right, e.Value)), dtype, device),
        _ => new(Right, Left, Outputs, Entries.Select(e => (e.Right, e.Left, e.Output, e.Value)), dtype, device),
    };

    public void Dispose()
    {
        foreach (TensorProductTerms? terms in termsOf) terms?.Dispose();
        foreach (Tensor matrix in Matrices) matrix.Dispose();
        OutputOrder?.Dispose();
    }
}

/// <summary>One term of a tensor product: output[Output] += Value left[Left] right[Right].</summary>
/// <param name="Output">Component of the result.</param>
/// <param name="Left">Component of the first factor.</param>
/// <param name="Right">Component of the second factor.</param>
/// <param name="Value">Not zero.</param>
public readonly record struct TensorProductEntry(int Output, int Left, int Right, double Value);

/// <summary>The terms of a bilinear map sorted by component of its result, as kernels walk them. The tensors live until disposal.</summary>
internal sealed class TensorProductTerms : IDisposable
{
    /// <param name="components">Of the result.</param>
    /// <param name="firsts">Components of the first factor.</param>
    /// <param name="seconds">Components of the second factor.</param>
    /// <param name="terms">In any order; that of one component stays.</param>
    /// <param name="dtype">Of the factors.</param>
    /// <param name="device">null: the CPU.</param>
    public TensorProductTerms(
        int components, int firsts, int seconds, IEnumerable<(int Result, int First, int Second, double Value)> terms, ScalarType dtype,
        Device? device)
    {
        (int Result, int First, int Second, double Value)[] sorted = [.. terms.OrderBy(t => t.Result)];
        int[] starts = [.. Enumerable.Range(0, components + 1).Select(a => sorted.Count(t => t.Result < a))];
        (Components, Firsts, Seconds) = (components, firsts, seconds);
        Starts = tensor(starts, device: device).DetachFromDisposeScope();
        First = tensor(sorted.Select(t => t.First).ToArray(), device: device).DetachFromDisposeScope();
        Second = tensor(sorted.Select(t => t.Second).ToArray(), device: device).DetachFromDisposeScope();
        Values = tensor(sorted.Select(t => t.Value).ToArray(), dtype: dtype, device: device).DetachFromDisposeScope();
    }

    public int Components { get; }

    public int Firsts { get; }

    public int Seconds { get; }

    /// <summary>(components + 1) int32</summary>
    public Tensor Starts { get; }

    /// <summary>(terms) int32</summary>
    public Tensor First { get; }

    /// <summary>(terms) int32</summary>
    public Tensor Second { get; }

    /// <summary>(terms)</summary>
    public Tensor Values { get; }

    public void Dispose()
    {
        Starts.Dispose();
        First.Dispose();
        Second.Dispose();
        Values.Dispose();
    }
}
