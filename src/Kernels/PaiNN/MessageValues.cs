using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.PaiNN;

/// <summary>What PaiNN's message is made of besides its filter, or a tangent of that.</summary>
/// <param name="Context">(A, 3, F) x</param>
/// <param name="Vectors">(A, 3, F) mu; empty: zero</param>
/// <param name="Directions">(E, 3) u</param>
/// <param name="Radial">(E, K + 1) R = [phi f | f]</param>
public readonly record struct MessageValues<T>(DeviceArray<T> Context, DeviceArray<T> Vectors, DeviceArray<T> Directions,
    DeviceArray<T> Radial)
    where T : unmanaged;
