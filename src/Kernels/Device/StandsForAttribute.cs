namespace ChemScale.Kernels.Device;

/// <summary>
/// Of a type argument that takes the place of another on the CPU alone, so that a kernel's own lines can run there. Families list the kernel
/// with the real one.
/// </summary>
/// <param name="real">What devices get.</param>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class StandsForAttribute(Type real) : Attribute
{
    public Type Real { get; } = real;
}
