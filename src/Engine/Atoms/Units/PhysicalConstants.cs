namespace ChemScale.Engine.Atoms.Units;

/// <summary>
/// Constants by CODATA adjustment. Figures made with different years differ in the eighth digit: name the year where it matters.
/// </summary>
/// <param name="Year">Of the adjustment.</param>
/// <param name="ElementaryCharge">C.</param>
/// <param name="Avogadro">1/mol.</param>
/// <param name="Boltzmann">J/K.</param>
/// <param name="Hartree">eV.</param>
/// <param name="Bohr">Angstrom.</param>
/// <param name="AtomicMass">kg.</param>
internal sealed record PhysicalConstants(
    int Year, double ElementaryCharge, double Avogadro, double Boltzmann, double Hartree, double Bohr, double AtomicMass)
{
    /// <summary>m/s; exact.</summary>
    public const double SpeedOfLight = 299_792_458;

    /// <summary>J s; exact in the SI since 2019.</summary>
    public const double Planck = 6.62607015e-34;

    /// <summary>Mohr, Newell, Taylor, Rev. Mod. Phys. 88, 035009 (2016). What ASE converts with.</summary>
    public static PhysicalConstants Codata2014 { get; } =
        new(2014, 1.6021766208e-19, 6.022140857e23, 1.38064852e-23, 27.21138602, 0.52917721067, 1.660539040e-27);

    /// <summary>
    /// Tiesinga, Mohr, Newell, Taylor, Rev. Mod. Phys. 93, 025010 (2021); the first three are exact in the SI. Used throughout.
    /// </summary>
    public static PhysicalConstants Codata2018 { get; } =
        new(2018, 1.602176634e-19, 6.02214076e23, 1.380649e-23, 27.211386245988, 0.529177210903, 1.66053906660e-27);

    /// <summary>eV/K.</summary>
    public double BoltzmannInElectronVolts => Boltzmann / ElementaryCharge;

    /// <summary>eV; the thermochemical calorie, 4.184 J.</summary>
    public double KilocaloriePerMole => 4184 / Avogadro / ElementaryCharge;

    /// <summary>eV.</summary>
    public double KilojoulePerMole => 1000 / Avogadro / ElementaryCharge;

    /// <summary>eV/Angstrom^3.</summary>
    public double Gigapascal => 1e-21 / ElementaryCharge;
}
