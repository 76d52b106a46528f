namespace ChemScale.Kernels.Device;

/// <summary>
/// Of a kernel whose products and sums must be rounded one by one, as the CPU does: elsewhere a device's driver fuses them as it likes, and
/// not alike in two kernels with the same lines.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RoundEachOperationAttribute : Attribute;
