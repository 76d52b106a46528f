using ChemScale.Engine.Native;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Matrices as the convolution's kernels take them: widths of multiples of four, from addresses of multiples of 16 bytes. Filters added
/// this way have zero weights and zero features.
/// </summary>
internal static class FilterPadding
{
    private const int Pack = 4;

    public static int Width(long columns) => checked((int)((columns + Pack - 1) / Pack * Pack));

    /// <param name="matrix">(rows, columns)</param>
    /// <returns>(rows, columns rounded up), perhaps the same memory</returns>
    public static Tensor Columns(Tensor matrix)
    {
        long columns = matrix.size(-1), added = Width(columns) - columns;
        if (added > 0) return nn.functional.pad(matrix, [0, added]);
        Tensor contiguous = matrix.contiguous();
        return TensorMemory.IsAligned(contiguous) ? contiguous : contiguous.clone();
    }

    /// <summary>W1^T, b1, W2^T, b2, W1, W2.</summary>
    public static Tensor[] Weights(Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2)
    {
        return [Both(weight1.t()), Columns(bias1), Both(weight2.t()), Columns(bias2), Both(weight1), Both(weight2)];

        static Tensor Both(Tensor matrix)
        {
            long rows = matrix.size(0), added = Width(rows) - rows;
            return Columns(added > 0 ? nn.functional.pad(matrix, [0, 0, 0, added]) : matrix);
        }
    }

    /// <param name="padded">(rows, columns rounded up)</param>
    /// <param name="columns">The true number.</param>
    public static Tensor Cut(Tensor padded, long columns) => padded.size(1) == columns ? padded : padded.narrow(1, 0, columns).contiguous();
}
