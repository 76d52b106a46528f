namespace ChemScale.Kernels.Device;

/// <summary>A kernel could not be compiled, loaded or launched.</summary>
public sealed class KernelException : Exception
{
    public KernelException(KernelFault fault, string message, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    public KernelFault Fault { get; }
}
