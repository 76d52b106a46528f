using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.SchNet;

/// <summary>The filter network in both orders, padded with zeros to widths of multiples of four, at multiples of 16 bytes.</summary>
/// <param name="Weight1">(K padded, N) W1^T</param>
/// <param name="Bias1">(N)</param>
/// <param name="Weight2">(N, N) W2^T</param>
/// <param name="Bias2">(N)</param>
/// <param name="Plain1">(N, K padded) W1; only backward</param>
/// <param name="Plain2">(N, N) W2; only backward</param>
public readonly record struct FilterWeights<T>(
    DeviceArray<T> Weight1, DeviceArray<T> Bias1, DeviceArray<T> Weight2, DeviceArray<T> Bias2,
    DeviceArray<T> Plain1, DeviceArray<T> Plain2)
    where T : unmanaged;
