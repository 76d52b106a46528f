using System.Numerics;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

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
