using System.Collections.Concurrent;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// Launches the attention kernels that multiply in bfloat16. Arrays are those of <see cref="AttentionLauncher{T, TReal}"/> in float32,
/// the table of tiles has tiles of <see cref="RowsPerTile"/>. No tokens: no launch.
/// </summary>
public static class MatrixAttentionLauncher
{
    /// <summary>Rows of a tile.</summary>
    public const int RowsPerTile = FragmentLayout.Size;

    // More would share more rows, but their registers would leave room for fewer groups.
    private const int WarpsPerGroup = 4;

    /// <summary>Head widths that have kernels: 16, 32, 64 and 128.</summary>
    public static bool Has(int headWidth) => MatrixAttentionKernels.Widths.Contains(headWidth);

    /// <param name="device">One with <see cref="KernelDevice.MatrixUnits"/>.</param>
    /// <param name="settings">The numbers.</param>
    /// <param name="tiles">(tiles, 3): a molecule's first row and its end, and the tile's first row</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h), written</param>
    /// <param name="greatest">(T, heads), written: each query's greatest score</param>
    /// <param name="inverse">(T, heads), written: 1 / sum of exp(score - greatest)</param>
    /// <exception cref="KernelException">The device has no matrix units.</exception>
    public static void Forward(
        KernelDevice device, AttentionSettings settings, DeviceArray<int> tiles, DeviceArray<float> qkv, DeviceArray<float> output,
        DeviceArray<float> greatest, DeviceArray<float> inverse) =>
        device.Launch(MatrixAttentionKernels.Forward(Unit(device), settings.HeadWidth), Shape(device, settings, tiles),
            Packs(qkv), KernelArgument.Of(tiles), settings.Heads, Window(settings, qkv), KernelArgument.Of((float)settings.Scale), Packs(output),
            KernelArgument.Of(greatest), KernelArgument.Of(inverse));

    /// <param name="device">One with <see cref="KernelDevice.MatrixUnits"/>.</param>
    /// <param name="settings">The numbers.</param>
    /// <param name="tiles">As in the forward pass; so are the next four.</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h)</param>
    /// <param name="greatest">(T, heads)</param>
    /// <param name="inverse">(T, heads)</param>
    /// <param name="outputGradient">(T, h)</param>
    /// <param name="delta">(T, heads), written</param>
    /// <param name="gradient">(T, 3 h), written</param>
    /// <exception cref="KernelException">The device has no matrix units.</exception>
    public static void Backward(
        KernelDevice device, AttentionSettings settings, DeviceArray<int> tiles, DeviceArray<float> qkv, DeviceArray<float> output,
        DeviceArray<float> greatest, DeviceArray<float> inverse, DeviceArray<float> outputGradient, DeviceArray<float> delta,
        DeviceArray<float> gradient)
    {
        LaunchShape shape = Shape(device, settings, tiles);
        KernelArgument scale = KernelArgument.Of((float)settings.Scale);
        device.Launch(MatrixAttentionKernels.BackwardQueries(Unit(device), settings.HeadWidth), shape,
            Packs(qkv), KernelArgument.Of(tiles), settings.Heads, Window(settings, qkv), scale, Packs(output), KernelArgument.Of(greatest),
            KernelArgument.Of(inverse), Packs(outputGradient), Packs(gradient), KernelArgument.Of(delta));
        device.Launch(MatrixAttentionKernels.BackwardKeys(Unit(device), settings.HeadWidth), shape,
            Packs(qkv), KernelArgument.Of(tiles), settings.Heads, Window(settings, qkv), scale, KernelArgument.Of(greatest),
            KernelArgument.Of(inverse), KernelArgument.Of(delta), Packs(outputGradient), Packs(gradient));
    }

    private static Type Unit(KernelDevice device) => device.MatrixUnits switch
    {
        MatrixUnits.TensorCores => typeof(TensorCore),
        MatrixUnits.Emulated => typeof(EmulatedMatrixUnit),
        _ => throw new KernelException(KernelFault.BadArgument, "attention in bfloat16 on a device without matrix units"),
    };

    private static LaunchShape Shape(KernelDevice device, AttentionSettings settings, DeviceArray<int> tiles)
    {
        int groupSize = device.GroupPer(1, 32 * WarpsPerGroup).GroupSize, warps = groupSize / 32;
        int sharedBytes = device.MatrixUnits == MatrixUnits.Emulated ? EmulatedMatrixUnit.SharedBytes : TensorCore.SharedBytes;
        return device.GroupPer((tiles.Length / 3 + warps - 1) / warps * settings.Heads, groupSize, warps * sharedBytes);
    }

    /// <summary>As many tokens as there are: all before it.</summary>
    private static int Window(AttentionSettings settings, DeviceArray<float> qkv) =>
        settings.Window > 0 ? settings.Window : (int)(qkv.Length / (3L * settings.Heads * settings.HeadWidth));

    private static KernelArgument Packs(DeviceArray<float> values) => KernelArgument.Of(values.As<Pack4<float>>());
}

/// <summary>The kernels by head width and by what multiplies. Listed are those of tensor cores; the CPU's warps take .NET's.</summary>
internal sealed class MatrixAttentionKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<(Type Kernel, Type Unit, int Width), KernelMethod> Made = new();

    /// <summary>Head widths that have kernels.</summary>
    public static IReadOnlyList<int> Widths { get; } = [16, 32, 64, 128];

    public static IEnumerable<KernelVariant> Variants =>
        from width in Widths
        from kernel in (Func<Type, int, KernelMethod>[])[Forward, BackwardQueries, BackwardKeys]
        select new KernelVariant(kernel(typeof(TensorCore), width), VectorLoads: true, VectorStores: true);

    public static KernelMethod Forward(Type unit, int width) => Make(typeof(MatrixForward), unit, width);

    public static KernelMethod BackwardQueries(Type unit, int width) => Make(typeof(MatrixBackwardQueries), unit, width);

    public static KernelMethod BackwardKeys(Type unit, int width) => Make(typeof(MatrixBackwardKeys), unit, width);

    private static KernelMethod Make(Type kernel, Type unit, int width) => Made.GetOrAdd((kernel, unit, width), static key =>
    {
        Type head = typeof(Fragment), sum = typeof(Accumulator);
        for (int held = FragmentLayout.Size; held < key.Width; held *= 2)
        {
            head = typeof(FragmentPair<>).MakeGenericType(head);
            sum = typeof(AccumulatorPair<>).MakeGenericType(sum);
        }
        return KernelMethod.Of(key.Kernel, "Run", key.Unit, head, sum);
    });
}
