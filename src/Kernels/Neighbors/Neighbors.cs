using System.Numerics;
using ChemScale.Kernels.Device;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// The one test of the count and of the fill: they must agree to the bit, and both ways round. So kernels that use it carry
/// <see cref="Device.RoundEachOperationAttribute"/>.
/// </summary>
internal static class PairDistance
{
    public static T Squared<T>(ArrayView<T> positions, int i, int j)
        where T : unmanaged, INumber<T>
    {
        T x = positions[3 * j] - positions[3 * i];
        T y = positions[3 * j + 1] - positions[3 * i + 1];
        T z = positions[3 * j + 2] - positions[3 * i + 2];
        return x * x + y * y + z * z;
    }
}

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

/// <summary>Where each edge stands the other way round: the receiver's place among its sender's own senders, which ascend.</summary>
internal static class NeighborReverse
{
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="reverse">(E), written</param>
    public static void Run(ArrayView<long> rowStarts, ArrayView<long> senders, ArrayView<long> receivers, ArrayView<long> reverse)
    {
        for (int e = Grid.GlobalIndex.X; e < reverse.IntLength; e += Grid.DimX * Group.DimX)
        {
            int row = (int)senders[e], low = (int)rowStarts[row], high = (int)rowStarts[row + 1] - 1;
            long wanted = receivers[e];
            while (low < high)
            {
                int middle = low + (high - low) / 2;
                if (senders[middle] < wanted) low = middle + 1;
                else high = middle;
            }
            reverse[e] = low;
        }
    }
}

/// <summary>The neighbour kernels by the positions' number type.</summary>
internal sealed class NeighborKernels : IKernelFamily
{
    public static readonly KernelMethod Reverse = KernelMethod.Of(NeighborReverse.Run);

    public static IEnumerable<KernelVariant> Variants =>
    [
        new(Of<float>.Count), new(Of<float>.Fill), new(Of<double>.Count, Float64: true), new(Of<double>.Fill, Float64: true), new(Reverse),
    ];

    public static class Of<T>
        where T : unmanaged, INumber<T>
    {
        public static readonly KernelMethod Count = KernelMethod.Of(NeighborCount.Run<T>);
        public static readonly KernelMethod Fill = KernelMethod.Of(NeighborFill.Run<T>);
    }
}

/// <summary>
/// Launches the neighbour kernels: all pairs of each frame, counted, then, between offsets summed from the counts, filled. Shapes are
/// those of the kernels.
/// </summary>
public static class NeighborLauncher<T>
    where T : unmanaged, INumber<T>
{
    public static void Count(
        KernelDevice device, DeviceArray<T> positions, DeviceArray<long> frames, DeviceArray<long> frameStarts, T squaredCutoff,
        T squaredLeast, DeviceArray<long> counts) =>
        device.Launch(NeighborKernels.Of<T>.Count, device.Cover(counts.Length, groupSize: 128),
            KernelArgument.Of(positions), KernelArgument.Of(frames), KernelArgument.Of(frameStarts), KernelArgument.Of(squaredCutoff),
            KernelArgument.Of(squaredLeast), KernelArgument.Of(counts));

    public static void Fill(
        KernelDevice device, DeviceArray<T> positions, DeviceArray<long> frames, DeviceArray<long> frameStarts, T squaredCutoff,
        DeviceArray<long> rowStarts, DeviceArray<long> senders, DeviceArray<long> receivers) =>
        device.Launch(NeighborKernels.Of<T>.Fill, device.Cover(senders.Length == 0 ? 0 : frames.Length, groupSize: 128),
            KernelArgument.Of(positions), KernelArgument.Of(frames), KernelArgument.Of(frameStarts), KernelArgument.Of(squaredCutoff),
            KernelArgument.Of(rowStarts), KernelArgument.Of(senders), KernelArgument.Of(receivers));

    public static void Reverse(
        KernelDevice device, DeviceArray<long> rowStarts, DeviceArray<long> senders, DeviceArray<long> receivers,
        DeviceArray<long> reverse) =>
        device.Launch(NeighborKernels.Reverse, device.Cover(reverse.Length),
            KernelArgument.Of(rowStarts), KernelArgument.Of(senders), KernelArgument.Of(receivers), KernelArgument.Of(reverse));
}
