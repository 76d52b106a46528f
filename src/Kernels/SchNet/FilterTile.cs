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
    /// <param name="dots">(columns, tileEdges): neighbouring threads read neighbouring edges</param>
    /// <param name="columns">Packs of a row.</param>
    /// <param name="tileEdges">Edges that a tile has room for.</param>
    /// <param name="order">(E), or empty</param>
    /// <param name="start">The place of the tile's first edge.</param>
    /// <param name="edges">Edges of the tile.</param>
    /// <param name="sums">(E), written at the edges' own numbers</param>
    public static void SumDots<T>(
        ArrayView<T> dots, int columns, int tileEdges, ArrayView<long> order, int start, int edges, ArrayView<T> sums)
        where T : unmanaged, INumber<T>
    {
        for (int e = Group.IdxX; e < edges; e += Group.DimX)
        {
            T sum = T.Zero;
            for (int c = 0; c < columns; c++) sum += dots[c * tileEdges + e];
            sums[RadialTile.EdgeAt(order, start + e)] = sum;
        }
    }

    /// <summary>Gradient by the radial basis: by s W1.</summary>
    public static void ByRadial<T>(
        ArrayView<Pack4<T>> byHidden, int columns, ArrayView<Pack4<T>> plain1, int inner, int count,
        ArrayView<long> order, int start, int edges, ArrayView<T> byRadial)
        where T : unmanaged, INumber<T>
    {
        for (int task = Group.IdxX; task < edges * inner; task += Group.DimX)
        {
            int e = task / inner, c = task - e * inner, k = 4 * c, at = RadialTile.EdgeAt(order, start + e) * count + k;
            Pack4<T> sum = TileProduct.One(byHidden, e * columns, columns, plain1, inner, c);
            byRadial[at] = sum.X;
            if (k + 1 < count) byRadial[at + 1] = sum.Y;
            if (k + 2 < count) byRadial[at + 2] = sum.Z;
            if (k + 3 < count) byRadial[at + 3] = sum.W;
        }
    }
}
