namespace ChemScale.Kernels.Device;

/// <summary>
/// An operation's kernels. The tests compile and inspect the variants of every type of this assembly that implements it, and
/// <see cref="CpuDevice.Warps"/> refuses kernels that none lists.
/// </summary>
public interface IKernelFamily
{
    /// <summary>Every instantiation that some launch may ask for.</summary>
    static abstract IEnumerable<KernelVariant> Variants { get; }
}
