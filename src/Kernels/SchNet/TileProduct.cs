using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// Products of a tile in shared memory with a matrix in global memory. Threads of a warp share the rows of the tile, a broadcast, and take
/// neighbouring columns of the matrix, which the first-level cache keeps for the next tile.
/// </summary>
internal static class TileProduct
{
    /// <summary>Eight rows, four columns: 128 multiplications for 12 loads of four values.</summary>
    /// <param name="tile">(rows, inner) in packs of four</param>
    /// <param name="first">Where the first four rows start in it.</param>
    /// <param name="second">Where the other four start: the next rows, or those of the derivative.</param>
    /// <param name="inner">Packs of a row.</param>
    /// <param name="weights">(4 inner, columns), packs along the columns</param>
    /// <param name="columns">Packs of a row of the matrix.</param>
    /// <param name="column">Which of them.</param>
    /// <param name="start">What the first four rows' sums start from.</param>
    /// <param name="secondStart">The other four's.</param>
    public static TileBlock<T> Eight<T>(
        ArrayView<Pack4<T>> tile, int first, int second, int inner, ArrayView<Pack4<T>> weights, int columns, int column,
        Pack4<T> start, Pack4<T> secondStart)
        where T : unmanaged, INumber<T>
    {
        Pack4<T> a0 = start, a1 = start, a2 = start, a3 = start, b0 = secondStart, b1 = secondStart, b2 = secondStart, b3 = secondStart;
        for (int k = 0; k < inner; k++)
        {
            int at = 4 * k * columns + column;
            Pack4<T> w0 = weights[at], w1 = weights[at + columns], w2 = weights[at + 2 * columns], w3 = weights[at + 3 * columns];
            a0 = Add(a0, tile[first + k], w0, w1, w2, w3);
            a1 = Add(a1, tile[first + inner + k], w0, w1, w2, w3);
            a2 = Add(a2, tile[first + 2 * inner + k], w0, w1, w2, w3);
            a3 = Add(a3, tile[first + 3 * inner + k], w0, w1, w2, w3);
            b0 = Add(b0, tile[second + k], w0, w1, w2, w3);
            b1 = Add(b1, tile[second + inner + k], w0, w1, w2, w3);
            b2 = Add(b2, tile[second + 2 * inner + k], w0, w1, w2, w3);
            b3 = Add(b3, tile[second + 3 * inner + k], w0, w1, w2, w3);
        }
        return new TileBlock<T> { A0 = a0, A1 = a1, A2 = a2, A3 = a3, B0 = b0, B1 = b1, B2 = b2, B3 = b3 };
    }

    /// <summary>One row, four columns: for matrices too narrow to keep a group busy otherwise.</summary>
    public static Pack4<T> One<T>(ArrayView<Pack4<T>> tile, int first, int inner, ArrayView<Pack4<T>> weights, int columns, int column)
        where T : unmanaged, INumber<T>
    {
        Pack4<T> sum = default;
        for (int k = 0; k < inner; k++)
        {
            int at = 4 * k * columns + column;
            sum = Add(sum, tile[first + k], weights[at], weights[at + columns], weights[at + 2 * columns], weights[at + 3 * columns]);
        }
        return sum;
    }

    private static Pack4<T> Add<T>(Pack4<T> sum, Pack4<T> a, Pack4<T> w0, Pack4<T> w1, Pack4<T> w2, Pack4<T> w3)
        where T : unmanaged, INumber<T> => new()
        {
            X = sum.X + a.X * w0.X + a.Y * w1.X + a.Z * w2.X + a.W * w3.X,
            Y = sum.Y + a.X * w0.Y + a.Y * w1.Y + a.Z * w2.Y + a.W * w3.Y,
            Z = sum.Z + a.X * w0.Z + a.Y * w1.Z + a.Z * w2.Z + a.W * w3.Z,
            W = sum.W + a.X * w0.W + a.Y * w1.W + a.Z * w2.W + a.W * w3.W,
        };
}
