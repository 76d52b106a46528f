using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Gelu;

/// <summary>The kernels of GELU with a bias, by number type.</summary>
internal sealed class GeluBiasKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
        [.. GeluBiasLauncher<float, F32>.Variants, .. GeluBiasLauncher<double, F64>.Variants];
}
