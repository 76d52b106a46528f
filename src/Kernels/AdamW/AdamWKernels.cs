using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.AdamW;

/// <summary>The AdamW update by number type.</summary>
internal sealed class AdamWKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants => [AdamWLauncher<float, F32>.Variant, AdamWLauncher<double, F64>.Variant];
}
