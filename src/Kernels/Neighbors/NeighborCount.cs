using System.Numerics;
using ChemScale.Kernels.Device;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>How many atoms of its frame are nearer to an atom than the cutoff. A thread takes an atom.</summary>
internal static class NeighborCount
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="frameStarts">(frames + 1) atoms</param>
    /// <param name="squaredCutoff">A^2; pairs at this distance are out</param>
    /// <param name="squaredLeast">A^2; atoms nearer than this are at one point</param>
    /// <param name="counts">(A), written; -1 - j where atom j is at the same point</param>
    [RoundEachOperation]
    public static void Run<T>(
        ArrayView<T> positions, ArrayView<long> frames, ArrayView<long> frameStarts, T squaredCutoff, T squaredLeast,
        ArrayView<long> counts)
        where T : unmanaged, INumber<T>
    {
        for (int i = Grid.GlobalIndex.X; i < counts.IntLength; i += Grid.DimX * Group.DimX)
        {
            int frame = (int)frames[i], end = (int)frameStarts[frame + 1];
            long count = 0, collision = 0;
            for (int j = (int)frameStarts[frame]; j < end; j++)
            {
                T squared = PairDistance.Squared(positions, i, j);
                if (j == i) continue;
                if (squared < squaredCutoff) count++;
                if (squared < squaredLeast) collision = -1 - j;
            }
            counts[i] = collision < 0 ? collision : count;
        }
    }
}
