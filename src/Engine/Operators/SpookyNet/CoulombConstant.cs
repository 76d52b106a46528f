namespace ChemScale.Engine.Operators;

/// <summary>e^2 / (4 pi epsilon_0)</summary>
public static class CoulombConstant
{
    /// <summary>eV A: Hartree times bohr, with the constants of CODATA 2014 that SpookyNet was published with.</summary>
    public const double ElectronVoltAngstrom = 14.399645351950548;
}
