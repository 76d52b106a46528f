using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Sums;

/// <summary>The column sums by number type.</summary>
internal sealed class ColumnSumsKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants => [.. ColumnSumsLauncher<float>.Variants, .. ColumnSumsLauncher<double>.Variants];
}
