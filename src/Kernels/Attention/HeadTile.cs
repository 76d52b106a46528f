using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

/// <summary>Rows of a group's heads in shared memory.</summary>
internal static class HeadTile
{
    /// <summary>Rows that the loops take at once; tiles are filled up to a multiple.</summary>
    public const int Step = 4;

    /// <summary>
    /// Copies rows, the group's threads sharing the work. Within a row the first packs of all lanes come first, then their second ones:
    /// lanes that read their n-th pack read neighbours, without bank conflicts.
    /// </summary>
    /// <param name="source">(rows, rowPacks)</param>
    /// <param name="rowPacks">Packs of a row.</param>
    /// <param name="column">First pack of the group's first head.</param>
    /// <param name="firstRow">First to copy.</param>
    /// <param name="rows">How many; zeros fill the last step, so that what is masked there stays finite.</param>
    /// <param name="place">The group's.</param>
    /// <param name="shared">Written from <paramref name="offset"/> on.</param>
    /// <param name="offset">In packs.</param>
    public static void Fill<T, THead, TPack, TLanes>(
        ArrayView<TPack> source, int rowPacks, int column, int firstRow, int rows, AttentionPlace place,
        ArrayView<TPack> shared, int offset)
        where T : unmanaged, INumber<T>
        where THead : unmanaged, IHead<THead, TPack, T>
        where TPack : unmanaged
        where TLanes : struct, ILanes
    {
        int headPacks = THead.Packs * TLanes.Count, copied = place.Heads * headPacks, rowShared = THead.Packs * place.Width;
        int total = (rows + Step - 1) / Step * Step * copied;
        for (int i = Group.IdxX; i < total; i += Group.DimX)
        {
            int row = i / copied, pack = i - row * copied;
            int head = pack / headPacks, within = pack - head * headPacks, step = within / TLanes.Count, lane = within % TLanes.Count;
            TPack value = default;
            if (row < rows) value = source[(firstRow + row) * rowPacks + column + pack];
            shared[offset + row * rowShared + step * place.Width + head * TLanes.Count + lane] = value;
        }
    }
}
