using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.LayerNorm;

/// <summary>The layer norm's kernels by number type and lanes a row.</summary>
internal sealed class LayerNormKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
        [.. LayerNormLauncher<float, F32>.Variants, .. LayerNormLauncher<double, F64>.Variants];
}
