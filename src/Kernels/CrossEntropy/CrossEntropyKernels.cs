using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.CrossEntropy;

/// <summary>The kernels of the cross-entropy by number type and lanes.</summary>
internal sealed class CrossEntropyKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
        [.. CrossEntropyLauncher<float, F32>.Variants, .. CrossEntropyLauncher<double, F64>.Variants];
}
