using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>What a force field says of a batch. Dispose of it.</summary>
/// <param name="Energies">(frames) eV, float64, reference energies included</param>
/// <param name="Forces">(atoms, 3) eV/A, float64: -dE/dx; null where not asked for</param>
/// <param name="Stress">(frames, 3, 3) eV/A^3, float64: (1 / volume) dE/dstrain, strain symmetric; positive when the frame pulls inwards;
/// zero for a frame without a cell; null where not asked for</param>
public readonly record struct ForceFieldOutput(Tensor Energies, Tensor? Forces, Tensor? Stress) : IDisposable
{
    public void Dispose()
    {
        Energies.Dispose();
        Forces?.Dispose();
        Stress?.Dispose();
    }
}
