using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Radial;

/// <summary>Which radial basis and cutoff function.</summary>
/// <param name="Gaussian">Gaussians; else Bessel functions.</param>
/// <param name="Cutoff">A</param>
/// <param name="Power">p of the polynomial cutoff; 0: the cosine.</param>
public readonly record struct RadialSettings(bool Gaussian, double Cutoff, int Power);

/// <summary>What all three radial kernels read.</summary>
/// <param name="Settings">Basis and cutoff function.</param>
/// <param name="EdgeVectors">(E, 3) A</param>
/// <param name="Centers">(K)</param>
/// <param name="Exponents">(K) of Gaussians; empty for Bessel functions</param>
public readonly record struct RadialInputs<T>(RadialSettings Settings, DeviceArray<T> EdgeVectors, DeviceArray<T> Centers, DeviceArray<T> Exponents)
    where T : unmanaged
{
    internal long Edges => EdgeVectors.Length / 3;

    /// <summary>Kernels read one exponent per center, and use it where the basis has any.</summary>
    internal DeviceArray<T> ExponentsOrCenters => Settings.Gaussian ? Exponents : Centers;
}

/// <summary>The four outputs, gradients with respect to them, or with respect to those gradients. Empty: zero, or not wanted.</summary>
/// <param name="Distances">(E, 1)</param>
/// <param name="Directions">(E, 3)</param>
/// <param name="Envelope">(E, 1)</param>
/// <param name="Radial">(E, K)</param>
public readonly record struct RadialOutputs<T>(
    DeviceArray<T> Distances, DeviceArray<T> Directions, DeviceArray<T> Envelope, DeviceArray<T> Radial)
    where T : unmanaged;
