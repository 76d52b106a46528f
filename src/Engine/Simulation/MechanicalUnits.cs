using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Inside, everything is in Angstrom, eV and amu. The unit of time that follows is A sqrt(amu/eV), 10.18 fs; that of momentum is
/// sqrt(amu eV), the same as ASE's. CODATA 2018.
/// </summary>
public static class MechanicalUnits
{
    private static readonly PhysicalConstants Constants = PhysicalConstants.Codata2018;

    /// <summary>A femtosecond in units of time.</summary>
    public static double Femtosecond { get; } = 1e-15 / (1e-10 * Math.Sqrt(Constants.AtomicMass / Constants.ElementaryCharge));

    public static double Picosecond => 1000 * Femtosecond;

    /// <summary>eV/K.</summary>
    public static double Boltzmann => Constants.BoltzmannInElectronVolts;
}
