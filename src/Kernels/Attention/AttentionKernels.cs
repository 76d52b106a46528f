using System.Collections.Concurrent;
using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Attention;

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
