using System.Collections.Concurrent;
using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>The radial kernels by their type parameters: number type, basis, cutoff function, lanes an edge.</summary>
internal sealed class RadialKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<Key, KernelMethod> Made = new();

    public static IEnumerable<KernelVariant> Variants =>
        from gaussian in (bool[])[true, false]
        from power in (int[])[0, 6]
        let settings = new RadialSettings(gaussian, 1, power)
        from variant in (IEnumerable<KernelVariant>)[.. Of<float, F32>(settings), .. Of<double, F64>(settings)]
        select variant;

    public static KernelMethod Singles<T, TReal>(RadialSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialForward), nameof(RadialForward.Singles), settings, null);

    public static KernelMethod Quads<T, TReal>(RadialSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialForward), nameof(RadialForward.Quads), settings, null);

    public static KernelMethod Backward<T, TReal>(RadialSettings settings, Type lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialBackward), nameof(RadialBackward.Run), settings, lanes);

    public static KernelMethod DoubleBackward<T, TReal>(RadialSettings settings, Type lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialDoubleBackward), nameof(RadialDoubleBackward.Run), settings, lanes);

    private static IEnumerable<KernelVariant> Of<T, TReal>(RadialSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        bool wide = typeof(T) == typeof(double);
        yield return new KernelVariant(Singles<T, TReal>(settings), Float64: wide);
        yield return new KernelVariant(Quads<T, TReal>(settings), VectorLoads: true, VectorStores: true, Float64: wide);
        foreach (Type lanes in (Type[])[typeof(OneLane), typeof(FourLanes)])
        {
            yield return new KernelVariant(Backward<T, TReal>(settings, lanes), Float64: wide);
            yield return new KernelVariant(DoubleBackward<T, TReal>(settings, lanes), Float64: wide);
        }
    }

    private static KernelMethod Make<T, TReal>(Type kernels, string name, RadialSettings settings, Type? lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        return Made.GetOrAdd(new Key(typeof(T), kernels, name, settings.Gaussian, settings.Power == 0, lanes), key =>
        {
            Type function = key.Gaussian ? typeof(Gaussian<T, TReal>) : typeof(Bessel<T, TReal>);
            Type cutoff = key.Cosine ? typeof(CosineCutoffFunction<T, TReal>) : typeof(PolynomialCutoffFunction<T, TReal>);
            Type[] arguments = [typeof(T), typeof(TReal), function, cutoff];
            return KernelMethod.Of(key.Kernels, key.Name, key.Lanes is null ? arguments : [.. arguments, key.Lanes]);
        });
    }

    private readonly record struct Key(Type Number, Type Kernels, string Name, bool Gaussian, bool Cosine, Type? Lanes);
}
