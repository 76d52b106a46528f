using System.Collections.Concurrent;
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

/// <summary>The numbers of one attention.</summary>
/// <param name="Heads">Number of heads.</param>
/// <param name="HeadWidth">Values of a head, d.</param>
/// <param name="Window">Keys that a query sees at most, its own included; 0: all before it.</param>
/// <param name="Scale">Of the scores.</param>
public readonly record struct AttentionSettings(int Heads, int HeadWidth, int Window, double Scale);

/// <summary>How attention is cut into groups on a device.</summary>
/// <param name="GroupSize">Threads of a group.</param>
/// <param name="Lanes">Threads that share a row of a head.</param>
/// <param name="HeadsPerGroup">Heads of a group.</param>
/// <param name="RowsPerTile">Rows of a group: the size that the table of tiles is made for.</param>
/// <param name="SharedRows">Rows of the other side in shared memory at a time.</param>
public readonly record struct AttentionGrid(int GroupSize, int Lanes, int HeadsPerGroup, int RowsPerTile, int SharedRows)
{
    // Values of a row that a group takes: wide enough for whole lines of memory.
    private const int RowValues = 128;

    // Small enough for several groups on a multiprocessor.
    private const int SharedBytes = 16 << 10;

    // Values of a row that a thread keeps in registers, of each array.
    private const int LargestShare = 16;

    /// <summary>Head widths that have kernels.</summary>
    public static bool Has(int headWidth) => headWidth is 1 or 2 or 4 or 8 or 16 or 32 or 64 or 128;

    /// <param name="device">Where.</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="headWidth">One that <see cref="Has"/> kernels.</param>
    /// <param name="longest">Tokens of the longest molecule.</param>
    /// <param name="elementSize">Bytes of a number.</param>
    public static AttentionGrid Of(KernelDevice device, int heads, int headWidth, int longest, int elementSize)
    {
        // Lanes exchange registers, which threads outside warps cannot.
        int lanes = device.WarpSize > 1 ? Math.Max(1, headWidth / LargestShare) : 1;
        int wanted = Math.Min(heads, Math.Max(1, RowValues / headWidth));
        long threads = (long)wanted * lanes * longest;
        int groupSize = device.GroupPer(1, (int)Math.Min(KernelDevice.LargestGroup, (threads + 31) / 32 * 32)).GroupSize;
        int most = Math.Min(wanted, groupSize / lanes), chunks = (heads + most - 1) / most, perGroup = (heads + chunks - 1) / chunks;
        int shared = Math.Clamp(SharedBytes / (2 * perGroup * headWidth * elementSize) / HeadTile.Step * HeadTile.Step, HeadTile.Step, 64);
        return new AttentionGrid(groupSize, lanes, perGroup, groupSize / (perGroup * lanes), shared);
    }
}

/// <summary>
/// The attention kernels by number type, head width, and threads that share a row. Listed are those of devices with warps: one thread
/// with the whole of a wide head is what the CPU's threads of their own take, and .NET compiles.
/// </summary>
internal sealed class AttentionKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<(Type Kernel, Type Number, int Width, int Lanes), KernelMethod> Made = new();

    public static IEnumerable<KernelVariant> Variants =>
        from width in (int[])[1, 2, 4, 8, 16, 32, 64, 128]
        from variant in (IEnumerable<KernelVariant>)[.. Of<float, F32>(width), .. Of<double, F64>(width)]
        select variant;

    public static KernelMethod Forward<T, TReal>(int width, int lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(AttentionForward), width, lanes);

    public static KernelMethod BackwardQueries<T, TReal>(int width, int lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(AttentionBackwardQueries), width, lanes);

    public static KernelMethod BackwardKeys<T, TReal>(int width, int lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(AttentionBackwardKeys), width, lanes);

    private static IEnumerable<KernelVariant> Of<T, TReal>(int width)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        bool wide = typeof(T) == typeof(double), vectors = width >= 4;
        int lanes = Math.Max(1, width / 16);
        yield return new KernelVariant(Forward<T, TReal>(width, lanes), vectors, vectors, Float64: wide);
        yield return new KernelVariant(BackwardQueries<T, TReal>(width, lanes), vectors, vectors, Float64: wide);
        yield return new KernelVariant(BackwardKeys<T, TReal>(width, lanes), vectors, vectors, Float64: wide);
    }

    private static KernelMethod Make<T, TReal>(Type kernel, int width, int lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        return Made.GetOrAdd((kernel, typeof(T), width, lanes), static key =>
        {
            (Type head, Type pack) = (key.Width / key.Lanes) switch
            {
                1 => (typeof(HeadOne<T>), typeof(T)),
                2 => (typeof(HeadTwo<T>), typeof(Pack2<T>)),
                _ => (typeof(HeadFour<T>), typeof(Pack4<T>)),
            };
            for (int held = 4; held < key.Width / key.Lanes; held *= 2) head = typeof(HeadPair<,,>).MakeGenericType(head, pack, typeof(T));
            Type lanes = key.Lanes switch
            {
                1 => typeof(OneLane),
                2 => typeof(TwoLanes),
                4 => typeof(FourLanes),
                _ => typeof(EightLanes),
            };
            return KernelMethod.Of(key.Kernel, "Run", typeof(T), typeof(TReal), head, pack, lanes);
        });
    }
}
