using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Radial;

/// <summary>What all three radial kernels read.</summary>
/// <param name="Form">Basis and cutoff function.</param>
/// <param name="EdgeVectors">(E, 3) A</param>
/// <param name="Centers">(K)</param>
/// <param name="Exponents">(K) of Gaussians; empty for Bessel functions</param>
public readonly record struct RadialInputs<T>(RadialForm Form, DeviceArray<T> EdgeVectors, DeviceArray<T> Centers, DeviceArray<T> Exponents)
    where T : unmanaged
{
    internal long Edges => EdgeVectors.Length / 3;

    /// <summary>Kernels read one exponent per center, and use it where the basis has any.</summary>
    internal DeviceArray<T> ExponentsOrCenters => Form.Gaussian ? Exponents : Centers;
}
