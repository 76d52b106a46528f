using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Allegro;

/// <summary>The terms of a bilinear map by component of the result.</summary>
/// <param name="Starts">(components + 1): component a has terms Starts[a] .. Starts[a + 1] - 1</param>
/// <param name="First">(terms) component of the first factor</param>
/// <param name="Second">(terms) component of the second factor</param>
/// <param name="Values">(terms)</param>
/// <param name="Firsts">Components of the first factor.</param>
/// <param name="Seconds">Components of the second factor.</param>
public readonly record struct ProductTerms<T>(
    DeviceArray<int> Starts, DeviceArray<int> First, DeviceArray<int> Second, DeviceArray<T> Values, int Firsts, int Seconds)
    where T : unmanaged;
