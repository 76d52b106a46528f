namespace ChemScale.Engine.Atoms.Units;

/// <summary>A unit of pressure and stress. eV/Angstrom^3 inside; this is for the border.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="ElectronVoltsPerCubicAngstrom">In one, CODATA 2018.</param>
public sealed record PressureUnit(string Name, double ElectronVoltsPerCubicAngstrom)
{
    public static PressureUnit Gigapascal { get; } = new("GPa", PhysicalConstants.Codata2018.Gigapascal);

    public static PressureUnit Kilobar { get; } = new("kbar", PhysicalConstants.Codata2018.Gigapascal / 10);

    public static PressureUnit ElectronVoltPerCubicAngstrom { get; } = new("eV/A^3", 1);

    /// <exception cref="InputException">Nothing stated, or no unit of pressure.</exception>
    /// <param name="text">In any case: GPa, kbar, eV/A^3.</param>
    /// <param name="place">Option, or file and key, that states it.</param>
    public static PressureUnit Parse(string text, string place = "unit of stress") => text.Trim().ToLowerInvariant() switch
    {
        "gpa" => Gigapascal,
        "kbar" => Kilobar,
        "ev/a^3" or "ev/ang^3" or "ev/a3" or "ev/angstrom^3" => ElectronVoltPerCubicAngstrom,
        "" => throw new InputException(place, "not stated", "GPa, kbar or eV/A^3"),
        _ => throw new InputException(place, $"'{text}'", "GPa, kbar or eV/A^3"),
    };

    public override string ToString() => Name;
}
