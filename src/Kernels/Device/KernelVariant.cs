namespace ChemScale.Kernels.Device;

/// <summary>One instantiation of a kernel that can be launched, and what its compiled form must hold to.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="VectorLoads">Declares 16-byte loads from global memory.</param>
/// <param name="VectorStores">Declares 16-byte stores to global memory.</param>
/// <param name="LocalBytes">Local memory a thread may use.</param>
/// <param name="Float64">May hold float64 instructions.</param>
public sealed record KernelVariant(
    KernelMethod Kernel, bool VectorLoads = false, bool VectorStores = false, int LocalBytes = 0, bool Float64 = false)
{
    public override string ToString() => Kernel.Name;
}
