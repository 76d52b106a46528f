using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Attention;

/// <summary>
/// Launches the attention kernels. Shapes are those of the kernels, all arrays of (T, ..) values aligned to 16 bytes; the table of tiles
/// is made for the grid. No tokens: no launch.
/// </summary>
public static class AttentionLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="device">Where.</param>
    /// <param name="settings">The numbers.</param>
    /// <param name="grid">Of this device and form.</param>
    /// <param name="tiles">(tiles, 3): a molecule's first row and its end, and the tile's first row</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h), written</param>
    /// <param name="greatest">(T, heads), written: each query's greatest score</param>
    /// <param name="inverse">(T, heads), written: 1 / sum of exp(score - greatest)</param>
    public static void Forward(
        KernelDevice device, AttentionSettings settings, AttentionGrid grid, DeviceArray<int> tiles, DeviceArray<T> qkv, DeviceArray<T> output,
        DeviceArray<T> greatest, DeviceArray<T> inverse) =>
        device.Launch(AttentionKernels.Forward<T, TReal>(settings.HeadWidth, grid.Lanes), Shape(device, settings, grid, tiles),
            Packs(settings, qkv), KernelArgument.Of(tiles), settings.Heads, grid.HeadsPerGroup, grid.SharedRows, Window(settings, qkv),
            KernelArgument.Of(TReal.Of(settings.Scale)), Packs(settings, output), KernelArgument.Of(greatest), KernelArgument.Of(inverse));

    /// <param name="device">Where.</param>
    /// <param name="settings">The numbers.</param>
    /// <param name="grid">Of this device and form.</param>
    /// <param name="tiles">As in the forward pass; so are the next four.</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h)</param>
    /// <param name="greatest">(T, heads)</param>
    /// <param name="inverse">(T, heads)</param>
    /// <param name="outputGradient">(T, h)</param>
    /// <param name="delta">(T, heads), written</param>
    /// <param name="gradient">(T, 3 h), written</param>
    public static void Backward(
        KernelDevice device, AttentionSettings settings, AttentionGrid grid, DeviceArray<int> tiles, DeviceArray<T> qkv, DeviceArray<T> output,
        DeviceArray<T> greatest, DeviceArray<T> inverse, DeviceArray<T> outputGradient, DeviceArray<T> delta, DeviceArray<T> gradient)
    {
        LaunchShape shape = Shape(device, settings, grid, tiles);
        KernelArgument scale = KernelArgument.Of(TReal.Of(settings.Scale));
        device.Launch(AttentionKernels.BackwardQueries<T, TReal>(settings.HeadWidth, grid.Lanes), shape,
            Packs(settings, qkv), KernelArgument.Of(tiles), settings.Heads, grid.HeadsPerGroup, grid.SharedRows, Window(settings, qkv), scale,
            Packs(settings, output), KernelArgument.Of(greatest), KernelArgument.Of(inverse), Packs(settings, outputGradient),
            Packs(settings, gradient), KernelArgument.Of(delta));
        device.Launch(AttentionKernels.BackwardKeys<T, TReal>(settings.HeadWidth, grid.Lanes), shape,
            Packs(settings, qkv), KernelArgument.Of(tiles), settings.Heads, grid.HeadsPerGroup, grid.SharedRows, Window(settings, qkv), scale,
            KernelArgument.Of(greatest), KernelArgument.Of(inverse), KernelArgument.Of(delta), Packs(settings, outputGradient),
            Packs(settings, gradient));
    }

    private static unsafe LaunchShape Shape(KernelDevice device, AttentionSettings settings, AttentionGrid grid, DeviceArray<int> tiles)
    {
        int chunks = (settings.Heads + grid.HeadsPerGroup - 1) / grid.HeadsPerGroup;
        int sharedBytes = 2 * grid.SharedRows * grid.HeadsPerGroup * settings.HeadWidth * sizeof(T);
        return device.GroupPer(tiles.Length / 3 * chunks, grid.GroupSize, sharedBytes);
    }

    /// <summary>As many tokens as there are: all before it.</summary>
    private static int Window(AttentionSettings settings, DeviceArray<T> qkv) =>
        settings.Window > 0 ? settings.Window : (int)(qkv.Length / (3L * settings.Heads * settings.HeadWidth));

    private static KernelArgument Packs(AttentionSettings settings, DeviceArray<T> values) => settings.HeadWidth switch
    {
        1 => KernelArgument.Of(values),
        2 => KernelArgument.Of(values.As<Pack2<T>>()),
        _ => KernelArgument.Of(values.As<Pack4<T>>()),
    };
}
