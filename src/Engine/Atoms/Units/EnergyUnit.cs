namespace ChemScale.Engine.Atoms.Units;

/// <summary>A unit of energy. eV inside; this is for the border.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="ElectronVolts">eV in one, CODATA 2018.</param>
public sealed record EnergyUnit(string Name, double ElectronVolts)
{
    private static readonly PhysicalConstants Constants = PhysicalConstants.Codata2018;

    public static EnergyUnit ElectronVolt { get; } = new("eV", 1);

    public static EnergyUnit MilliElectronVolt { get; } = new("meV", 1e-3);

    public static EnergyUnit KilocaloriePerMole { get; } = new("kcal/mol", Constants.KilocaloriePerMole);

    public static EnergyUnit KilojoulePerMole { get; } = new("kJ/mol", Constants.KilojoulePerMole);

    public static EnergyUnit Hartree { get; } = new("Hartree", Constants.Hartree);

    public static EnergyUnit Rydberg { get; } = new("Rydberg", Constants.Hartree / 2);

    /// <exception cref="InputException">Nothing stated, or no unit of energy.</exception>
    /// <param name="text">In any case: eV, meV, kcal/mol, kJ/mol, Hartree (Ha, Eh, a.u.), Rydberg (Ry).</param>
    /// <param name="place">Option, or file and key, that states it.</param>
    public static EnergyUnit Parse(string text, string place = "unit of energy") => text.Trim().ToLowerInvariant() switch
    {
        "ev" or "electronvolt" => ElectronVolt,
        "mev" => MilliElectronVolt,
        "kcal/mol" or "kcal mol-1" or "kcal" => KilocaloriePerMole,
        "kj/mol" or "kj mol-1" or "kj" => KilojoulePerMole,
        "hartree" or "ha" or "eh" or "e_h" or "au" or "a.u." => Hartree,
        "rydberg" or "ry" => Rydberg,
        "" => throw new InputException(place, "not stated", "eV, meV, kcal/mol, kJ/mol, Hartree or Rydberg"),
        _ => throw new InputException(place, $"'{text}'", "eV, meV, kcal/mol, kJ/mol, Hartree or Rydberg"),
    };

    public override string ToString() => Name;
}
