namespace ChemScale.Engine.Atoms.Units;

/// <summary>What the numbers of a file have to be multiplied by.</summary>
/// <param name="Energy">Unit of energies.</param>
/// <param name="Length">Unit of positions; forces are in Energy/Length, stresses in Energy/Length^3.</param>
/// <param name="ForcesAreGradients">True where what the file calls forces has the opposite sign.</param>
public sealed record LabelUnits(EnergyUnit Energy, LengthUnit Length, bool ForcesAreGradients = false)
{
    /// <summary>eV, Angstrom, forces: nothing to do.</summary>
    public static LabelUnits Inside { get; } = new(EnergyUnit.ElectronVolt, LengthUnit.Angstrom);

    public double EnergyFactor => Energy.ElectronVolts;

    public double LengthFactor => Length.Angstroms;

    public double ForceFactor => (ForcesAreGradients ? -1 : 1) * Energy.ElectronVolts / Length.Angstroms;

    public double StressFactor => Energy.ElectronVolts / Math.Pow(Length.Angstroms, 3);

    public override string ToString() => $"{Energy}, {Length}{(ForcesAreGradients ? ", forces are gradients" : "")}";
}
