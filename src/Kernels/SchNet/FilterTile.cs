using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>What the two backward passes do alike with a tile.</summary>
internal static class FilterTile
{
    public static void Copy<T>(ArrayView<Pack4<T>> tile, ArrayView<Pack4<T>> scratch, int at, int length)
        where T : unmanaged, INumber<T>
    {
        for (int i = Group.IdxX; i < length; i += Group.DimX) scratch[at + i] = tile[i];
    }

    /// <summary>Each edge's sum over the columns.</summary>
    /// <param name="dots">(edges, columns, made odd): threads write neighbouring columns and read neighbouring edges, both without conflicts of banks</param>
    /// <param name="columns">Packs of a row.</param>
    /// <param name="order">(E), or empty</param>
    /// <param name="start">The place of the tile's first edge.</param>
    /// <param name="edges">Edges of the tile.</param>
    /// <param name="sums">(E), written at the edges' own numbers</param>
    public static void SumDots<T>(
        ArrayView<T> dots, int columns, ArrayView<long> order, int start, int edges, ArrayView<T> sums)
        where T : unmanaged, INumber<T>
    {
        for (int e = Group.IdxX; e < edges; e += Group.DimX)
        {
            T sum = T.Zero;
            for (int c = 0; c < columns; c++) sum += dots[e * (columns | 1) + c];
            sums[RadialTile.EdgeAt(order, start + e)] = sum;
        }
    }

    /// <summary>Gradient by the radial basis: by s W1.</summary>
    /// <param name="byHidden">(edges, columns)</param>
    /// <param name="columns">Packs of a row.</param>
    /// <param name="plain1">(N, inner) W1</param>
    /// <param name="inner">Packs of a row of the basis.</param>
    /// <param name="count">K</param>
    /// <param name="order">(E), or empty</param>
    /// <param name="start">The place of the tile's first edge.</param>
    /// <param name="edges">Edges of the tile.</param>
    /// <param name="byRadial">(E, K), written at the edges' own numbers</param>
    /// <param name="packs">The same as packs of four; empty where K is no multiple of four</param>
    public static void ByRadial<T>(
        ArrayView<Pack4<T>> byHidden, int columns, ArrayView<Pack4<T>> plain1, int inner, int count,
        ArrayView<long> order, int start, int edges, ArrayView<T> byRadial, ArrayView<Pack4<T>> packs)
        where T : unmanaged, INumber<T>
    {
        for (int task = Group.IdxX; task < edges * inner; task += Group.DimX)
        {
            int e = task / inner, c = task - e * inner, edge = RadialTile.EdgeAt(order, start + e), k = 4 * c, at = edge * count + k;
            Pack4<T> sum = TileProduct.One(byHidden, e * columns, columns, plain1, inner, c);
            if (packs.IntLength > 0)
            {
                packs[edge * inner + c] = sum;
                continue;
            }
            byRadial[at] = sum.X;
            if (k + 1 < count) byRadial[at + 1] = sum.Y;
            if (k + 2 < count) byRadial[at + 2] = sum.Z;
            if (k + 3 < count) byRadial[at + 3] = sum.W;
        }
    }
}

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

/// <summary>A thread's share of a product: four columns of eight rows of a tile, kept in registers.</summary>
internal struct TileBlock<T>
    where T : unmanaged, INumber<T>
{
    public Pack4<T> A0;
    public Pack4<T> A1;
    public Pack4<T> A2;
    public Pack4<T> A3;
    public Pack4<T> B0;
    public Pack4<T> B1;
    public Pack4<T> B2;
    public Pack4<T> B3;
}

/// <summary>Brings rows of the radial basis, or of what has its shape, to shared memory.</summary>
internal static class RadialTile
{
    /// <param name="radial">(E, count); empty: zeros</param>
    /// <param name="count">K</param>
    /// <param name="order">(E) edges in the order of the rows; empty: that of their numbers</param>
    /// <param name="start">The place of the first edge in that order.</param>
    /// <param name="edges">Edges of the tile.</param>
    /// <param name="padded">Rows to fill, with zeros from <paramref name="edges"/> on.</param>
    /// <param name="tile">(padded, width), with zeros from count on</param>
    /// <param name="width">K, rounded up to a multiple of four.</param>
    public static void Load<T>(
        ArrayView<T> radial, int count, ArrayView<long> order, int start, int edges, int padded, ArrayView<T> tile, int width)
        where T : unmanaged, INumber<T>
    {
        for (int i = Group.IdxX; i < padded * width; i += Group.DimX)
        {
            int e = i / width, k = i - e * width;
            T value = T.Zero;
            if (e < edges && k < count && radial.IntLength > 0) value = radial[EdgeAt(order, start + e) * count + k];
            tile[i] = value;
        }
    }

    public static int EdgeAt(ArrayView<long> order, int place) => order.IntLength > 0 ? (int)order[place] : place;
}
