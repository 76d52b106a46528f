using System.Collections.Concurrent;
using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.SchNet;

/// <summary>The convolution's kernels by number type.</summary>
internal sealed class FilterKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<(Type Number, FilterPass Pass), KernelMethod> Made = new();

    public static IEnumerable<KernelVariant> Variants =>
        from pass in Enum.GetValues<FilterPass>()
            // The passes that leave something for the weights' gradients store packs.
        from variant in (KernelVariant[])[
            new(Of<float, F32>(pass), VectorLoads: true, VectorStores: pass >= FilterPass.Backward),
            new(Of<double, F64>(pass), VectorLoads: true, VectorStores: pass >= FilterPass.Backward, Float64: true),
        ]
        select variant;

    public static KernelMethod Of<T, TReal>(FilterPass pass)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        return Made.GetOrAdd((typeof(T), pass), key => KernelMethod.Of(
            key.Pass switch
            {
                FilterPass.Forward => typeof(FilterForward),
                FilterPass.Tangent => typeof(FilterTangent),
                FilterPass.Backward => typeof(FilterBackward),
                _ => typeof(FilterDoubleBackward),
            },
            nameof(FilterForward.Run), typeof(T), typeof(TReal)));
    }
}
