using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.SchNet;

/// <summary>The convolution's inputs, or directions in their space; empty directions are zero.</summary>
/// <param name="Features">(A, N) h</param>
/// <param name="Radial">(E, K) phi</param>
/// <param name="Envelope">(E, 1) f</param>
public readonly record struct FilterInputs<T>(DeviceArray<T> Features, DeviceArray<T> Radial, DeviceArray<T> Envelope)
    where T : unmanaged;
