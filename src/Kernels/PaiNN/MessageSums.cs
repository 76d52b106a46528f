using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.PaiNN;

/// <summary>What PaiNN's message makes, or a gradient with respect to that.</summary>
/// <param name="Scalars">(A, F) dq</param>
/// <param name="Vectors">(A, 3, F) dmu</param>
public readonly record struct MessageSums<T>(DeviceArray<T> Scalars, DeviceArray<T> Vectors)
    where T : unmanaged;
