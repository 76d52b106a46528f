using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The coefficients of a bilinear map of components, as the sparse list of its terms and as the matrix a GEMM wants.</summary>
public sealed class TensorProductTable : IDisposable
{
    /// <param name="left">I components of the first factor.</param>
    /// <param name="right">J components of the second factor.</param>
    /// <param name="outputs">K components of the result.</param>
    /// <param name="entries">The terms; those of the same three components add up.</param>
    /// <param name="dtype">Of the factors.</param>
    /// <param name="device">null: the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">A term of components that are not there.</exception>
    public TensorProductTable(int left, int right, int outputs, IReadOnlyList<TensorProductEntry> entries, ScalarType dtype, Device? device = null)
    {
        (Left, Right, Outputs, Entries) = (left, right, outputs, entries);
        IsDiagonal = left == right && entries.All(e => e.Left == e.Right);
        var matrix = new double[outputs, IsDiagonal ? left : left * right];
        foreach (TensorProductEntry e in entries)
        {
            if ((uint)e.Left >= (uint)left || (uint)e.Right >= (uint)right || (uint)e.Output >= (uint)outputs)
                throw new ArgumentOutOfRangeException(nameof(entries), e, $"components of ({left}, {right}) to {outputs}");
            matrix[e.Output, IsDiagonal ? e.Left : e.Left * right + e.Right] += e.Value;
        }
        Matrix = tensor(matrix, dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>I</summary>
    public int Left { get; }

    /// <summary>J</summary>
    public int Right { get; }

    /// <summary>K</summary>
    public int Outputs { get; }

    public IReadOnlyList<TensorProductEntry> Entries { get; }

    /// <summary>Whether only equal components meet, as where everything is coupled to scalars.</summary>
    public bool IsDiagonal { get; }

    /// <summary>(K, I J), or (K, I) of a diagonal product.</summary>
    public Tensor Matrix { get; }

    public void Dispose() => Matrix.Dispose();
}
