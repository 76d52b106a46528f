namespace ChemScale.Kernels.Device;

/// <summary>
/// Of a kernel whose products and sums must be rounded one by one, as the CPU does: elsewhere a device's driver fuses them as it likes, and
/// not alike in two kernels with the same lines.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RoundEachOperationAttribute : Attribute;

/// <summary>
/// Of an array of which nothing that was in it before a launch is read, by this kernel or after it: the interpreter fills it with what it knows for
/// unwritten, and finds who reads that.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class WrittenAttribute : Attribute;

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
