namespace ChemScale.Engine.Simulation.Ipi;

/// <summary>
/// The protocol speaks atomic units. These are ASE's, which it derives from CODATA 2014 (they differ from that year's recommended values in
/// the tenth digit), so that a number leaves ASE in Angstrom and comes here as the same one.
/// </summary>
public static class IpiUnits
{
    /// <summary>Angstrom.</summary>
    public const double Bohr = 0.5291772105638411;

    /// <summary>eV.</summary>
    public const double Hartree = 27.211386024367243;
}
