namespace ChemScale.Kernels.Device;

/// <summary>An operation's kernels. Every type of this assembly that implements it has its variants compiled and inspected by the tests.</summary>
public interface IKernelFamily
{
    /// <summary>Every instantiation that some launch may ask for.</summary>
    static abstract IEnumerable<KernelVariant> Variants { get; }
}
