using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.PaiNN;

/// <summary>Launches the kernels of PaiNN's mixing, whose arguments are arrays of the kernels' order and shapes. No atoms: no
/// launch.</summary>
/// <param name="device">Where.</param>
/// <param name="features">F</param>
public sealed class MixingLauncher<T, TReal>(KernelDevice device, int features)
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="mixed">(A, 3, 2 F)</param>
    /// <param name="epsilon">Keeps the norm differentiable at zero.</param>
    /// <param name="rest">norm and product; or their gradients and the result of the backward pass; or gradients, cotangent and three
    /// results</param>
    public void Invariants(DeviceArray<T> mixed, double epsilon, params ReadOnlySpan<DeviceArray<T>> rest)
    {
        if (Fours(rest) && mixed.IsAligned) Run<Pack4<T>>(4, rest);
        else Run<Pack1<T>>(1, rest);

        void Run<TPack>(int width, ReadOnlySpan<DeviceArray<T>> others)
            where TPack : unmanaged, IPack<T, TPack>
        {
            KernelMethod kernel = others.Length switch
            {
                2 => InvariantsKernels<T, TReal, TPack>.Forward,
                3 => InvariantsKernels<T, TReal, TPack>.Backward,
                _ => InvariantsKernels<T, TReal, TPack>.DoubleBackward,
            };
            KernelArgument[] arguments = [Packs<TPack>(mixed), KernelArgument.Of(TReal.Of(epsilon)), features / width,
                .. Packs<TPack>(others)];
            device.Launch(kernel, device.Cover(mixed.Length / 6 / width), arguments);
        }
    }

    /// <param name="arrays">Those of the kernel, in order: 7 for the forward, 8 for the backward, 13 for the double backward pass.</param>
    public void Update(params ReadOnlySpan<DeviceArray<T>> arrays)
    {
        if (Fours(arrays)) Run<Pack4<T>>(4, arrays);
        else Run<Pack1<T>>(1, arrays);

        void Run<TPack>(int width, ReadOnlySpan<DeviceArray<T>> all)
            where TPack : unmanaged, IPack<T, TPack>
        {
            // The number of packs stands after the mixed vectors.
            (KernelMethod kernel, int before) = all.Length switch
            {
                7 => (UpdateKernels<T, TPack>.Forward, 5),
                8 => (UpdateKernels<T, TPack>.Backward, 3),
                _ => (UpdateKernels<T, TPack>.DoubleBackward, 3),
            };
            KernelArgument[] arguments = [.. Packs<TPack>(all[..before]), features / width, .. Packs<TPack>(all[before..])];
            device.Launch(kernel, device.Cover(all[before - 1].Length / 6 / width), arguments);
        }
    }

    private static KernelArgument Packs<TPack>(DeviceArray<T> array)
        where TPack : unmanaged => KernelArgument.Of(array.As<TPack>());

    private static KernelArgument[] Packs<TPack>(ReadOnlySpan<DeviceArray<T>> arrays)
        where TPack : unmanaged
    {
        var packs = new KernelArgument[arrays.Length];
        for (int i = 0; i < packs.Length; i++) packs[i] = Packs<TPack>(arrays[i]);
        return packs;
    }

    private bool Fours(ReadOnlySpan<DeviceArray<T>> arrays)
    {
        bool aligned = features % 4 == 0;
        foreach (DeviceArray<T> array in arrays) aligned &= array.IsAligned;
        return aligned;
    }
}

/// <summary>The kernels of PaiNN's mixing by their type parameters: number type, values a thread owns.</summary>
internal sealed class MixingKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. Of<float, F32, Pack1<float>>(), .. Of<float, F32, Pack4<float>>(), .. Of<double, F64, Pack1<double>>(),
            .. Of<double, F64, Pack4<double>>(),
    ];

    private static IEnumerable<KernelVariant> Of<T, TReal, TPack>()
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        bool wide = typeof(T) == typeof(double), four = typeof(TPack) == typeof(Pack4<T>);
        KernelMethod[] kernels =
        [
            InvariantsKernels<T, TReal, TPack>.Forward, InvariantsKernels<T, TReal, TPack>.Backward,
                InvariantsKernels<T, TReal, TPack>.DoubleBackward,
            UpdateKernels<T, TPack>.Forward, UpdateKernels<T, TPack>.Backward, UpdateKernels<T, TPack>.DoubleBackward,
        ];
        return kernels.Select(kernel => new KernelVariant(kernel, VectorLoads: four, VectorStores: four, Float64: wide));
    }
}

/// <summary>Of the invariants.</summary>
internal static class InvariantsKernels<T, TReal, TPack>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod Forward = KernelMethod.Of(Invariants.Forward<T, TReal, TPack>);

    public static readonly KernelMethod Backward = KernelMethod.Of(Invariants.Backward<T, TReal, TPack>);

    public static readonly KernelMethod DoubleBackward = KernelMethod.Of(Invariants.DoubleBackward<T, TReal, TPack>);
}

/// <summary>Of the update.</summary>
internal static class UpdateKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod Forward = KernelMethod.Of(Update.Forward<T, TPack>);

    public static readonly KernelMethod Backward = KernelMethod.Of(Update.Backward<T, TPack>);

    public static readonly KernelMethod DoubleBackward = KernelMethod.Of(Update.DoubleBackward<T, TPack>);
}
