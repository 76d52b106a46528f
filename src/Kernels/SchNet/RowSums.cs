using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// Sums of the tiles' values by rows of edges. A group owns its rows and a thread its columns: each sum has one owner and the order of
/// the edges, however the tiles lie over the rows.
/// </summary>
internal static class RowSums
{
    public static void Clear<T>(ArrayView<T> running)
        where T : unmanaged, INumber<T>
    {
        for (int n = Group.IdxX; n < running.IntLength; n += Group.DimX) running[n] = T.Zero;
    }

    /// <param name="values">(edges, width), a tile</param>
    /// <param name="running">(width) the sums of the row that is not finished</param>
    /// <param name="rowStarts">(rows + 1)</param>
    /// <param name="row">That row.</param>
    /// <param name="start">The place of the tile's first edge in the order of the rows.</param>
    /// <param name="edges">Edges of the tile.</param>
    /// <param name="sums">(rows, width), written where a row is finished</param>
    /// <returns>The row that is not finished now.</returns>
    public static int Add<T>(
        ArrayView<T> values, ArrayView<T> running, ArrayView<long> rowStarts, int row, int start, int edges, ArrayView<T> sums)
        where T : unmanaged, INumber<T>
    {
        int width = running.IntLength;
        for (int n = Group.IdxX; n < width; n += Group.DimX)
        {
            int own = row, end = (int)rowStarts[row + 1];
            T sum = running[n];
            for (int e = 0; e < edges; e++)
            {
                while (start + e >= end)
                {
                    sums[own * width + n] = sum;
                    sum = T.Zero;
                    own++;
                    end = (int)rowStarts[own + 1];
                }
                sum += values[e * width + n];
            }
            running[n] = sum;
        }
        while (start + edges > (int)rowStarts[row + 1]) row++;
        return row;
    }

    /// <summary>Writes the last row with edges, and zeros for the rows after it.</summary>
    public static void Finish<T>(ArrayView<T> running, int row, int endRow, ArrayView<T> sums)
        where T : unmanaged, INumber<T>
    {
        int width = running.IntLength;
        for (int n = Group.IdxX; n < width; n += Group.DimX)
        {
            T sum = running[n];
            for (int own = row; own < endRow; own++)
            {
                sums[own * width + n] = sum;
                sum = T.Zero;
            }
        }
    }
}

/// <summary>Arithmetic of four values at once.</summary>
internal static class Packs
{
    public static Pack4<T> Add<T>(Pack4<T> a, Pack4<T> b)
        where T : unmanaged, INumber<T> => new() { X = a.X + b.X, Y = a.Y + b.Y, Z = a.Z + b.Z, W = a.W + b.W };

    public static Pack4<T> Times<T>(Pack4<T> a, Pack4<T> b)
        where T : unmanaged, INumber<T> => new() { X = a.X * b.X, Y = a.Y * b.Y, Z = a.Z * b.Z, W = a.W * b.W };

    public static Pack4<T> Times<T>(Pack4<T> a, T b)
        where T : unmanaged, INumber<T> => new() { X = a.X * b, Y = a.Y * b, Z = a.Z * b, W = a.W * b };

    public static T Dot<T>(Pack4<T> a, Pack4<T> b)
        where T : unmanaged, INumber<T> => a.X * b.X + a.Y * b.Y + a.Z * b.Z + a.W * b.W;
}
