using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Radial;

/// <summary>Gradients with respect to the four outputs, or with respect to those gradients. Empty: zero, or not wanted.</summary>
/// <param name="Distances">(E, 1)</param>
/// <param name="Directions">(E, 3)</param>
/// <param name="Envelope">(E, 1)</param>
/// <param name="Radial">(E, K)</param>
public readonly record struct RadialGradients<T>(
    DeviceArray<T> Distances, DeviceArray<T> Directions, DeviceArray<T> Envelope, DeviceArray<T> Radial)
    where T : unmanaged;
