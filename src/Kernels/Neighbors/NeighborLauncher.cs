using System.Numerics;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Neighbors;

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
