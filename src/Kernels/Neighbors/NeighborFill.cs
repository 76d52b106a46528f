using System.Numerics;
using ChemScale.Kernels.Device;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>Writes the edges that <see cref="NeighborCount"/> counted: each atom's own row, senders ascending.</summary>
internal static class NeighborFill
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="frameStarts">(frames + 1) atoms</param>
    /// <param name="squaredCutoff">A^2, as counted with</param>
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E), written</param>
    /// <param name="receivers">(E), written</param>
    [RoundEachOperation]
    public static void Run<T>(
        ArrayView<T> positions, ArrayView<long> frames, ArrayView<long> frameStarts, T squaredCutoff, ArrayView<long> rowStarts,
        ArrayView<long> senders, ArrayView<long> receivers)
        where T : unmanaged, INumber<T>
    {
        for (int i = Grid.GlobalIndex.X; i < frames.IntLength; i += Grid.DimX * Group.DimX)
        {
            int frame = (int)frames[i], end = (int)frameStarts[frame + 1], edge = (int)rowStarts[i];
            for (int j = (int)frameStarts[frame]; j < end; j++)
            {
                if (j == i || !(PairDistance.Squared(positions, i, j) < squaredCutoff)) continue;
                senders[edge] = j;
                receivers[edge] = i;
                edge++;
            }
        }
    }
}
