namespace ChemScale.Engine.Atoms.Units;

/// <summary>What the numbers of a file have to be multiplied by.</summary>
/// <param name="Energy">Unit of energies.</param>
/// <param name="Length">Unit of positions; forces are in Energy/Length, stresses in Energy/Length^3.</param>
/// <param name="ForcesAreGradients">True where what the file calls forces has the opposite sign.</param>
internal sealed record LabelUnits(EnergyUnit Energy, LengthUnit Length, bool ForcesAreGradients = false)
{
    /// <summary>Of forces, where a file declares another one: in eV/Angstrom.</summary>
    public double? DeclaredForce { get; init; }

    /// <summary>Of stresses, likewise: in eV/Angstrom^3.</summary>
    public double? DeclaredStress { get; init; }

    /// <summary>Of virials, likewise: in eV.</summary>
    public double? DeclaredVirial { get; init; }

    /// <summary>eV, Angstrom, forces: nothing to do.</summary>
    public static LabelUnits Inside { get; } = new(EnergyUnit.ElectronVolt, LengthUnit.Angstrom);

    public double EnergyFactor => Energy.ElectronVolts;

    public double LengthFactor => Length.Angstroms;

    public double ForceFactor => (ForcesAreGradients ? -1 : 1) * (DeclaredForce ?? Energy.ElectronVolts / Length.Angstroms);

    public double StressFactor => DeclaredStress ?? Energy.ElectronVolts / Math.Pow(Length.Angstroms, 3);

    public double VirialFactor => DeclaredVirial ?? Energy.ElectronVolts;

    public override string ToString() => $"{Energy}, {Length}{(ForcesAreGradients ? ", forces are gradients" : "")}";
}

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
        "ev" or "electronvolt" or "electronvolts" => ElectronVolt,
        "mev" => MilliElectronVolt,
        "kcal/mol" or "kcal mol-1" or "kcal mol^-1" or "kcal" => KilocaloriePerMole,
        "kj/mol" or "kj mol-1" or "kj mol^-1" or "kj" => KilojoulePerMole,
        "hartree" or "hartrees" or "ha" or "eh" or "e_h" or "au" or "a.u." => Hartree,
        "rydberg" or "ry" => Rydberg,
        "" => throw new InputException(place, "not stated", "eV, meV, kcal/mol, kJ/mol, Hartree or Rydberg"),
        _ => throw new InputException(place, $"'{text}'", "eV, meV, kcal/mol, kJ/mol, Hartree or Rydberg"),
    };

    public override string ToString() => Name;
}

/// <summary>A unit of length. Angstrom inside; this is for the border.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="Angstroms">Angstrom in one, CODATA 2018.</param>
public sealed record LengthUnit(string Name, double Angstroms)
{
    public static LengthUnit Angstrom { get; } = new("Angstrom", 1);

    public static LengthUnit Bohr { get; } = new("Bohr", PhysicalConstants.Codata2018.Bohr);

    public static LengthUnit Nanometre { get; } = new("nm", 10);

    /// <exception cref="InputException">Nothing stated, or no unit of length.</exception>
    /// <param name="text">In any case: Angstrom (Ang, A), Bohr (a0), nm.</param>
    /// <param name="place">Option, or file and key, that states it.</param>
    public static LengthUnit Parse(string text, string place = "unit of length") => text.Trim().ToLowerInvariant() switch
    {
        "angstrom" or "angstroms" or "ang" or "a" or "å" => Angstrom,
        "bohr" or "a0" or "au" or "a.u." => Bohr,
        "nm" or "nanometre" or "nanometer" => Nanometre,
        "" => throw new InputException(place, "not stated", "Angstrom, Bohr or nm"),
        _ => throw new InputException(place, $"'{text}'", "Angstrom, Bohr or nm"),
    };

    public override string ToString() => Name;
}

/// <summary>A unit of pressure and stress. eV/Angstrom^3 inside; this is for the border.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="ElectronVoltsPerCubicAngstrom">In one, CODATA 2018.</param>
internal sealed record PressureUnit(string Name, double ElectronVoltsPerCubicAngstrom)
{
    /// <summary>eV/Angstrom in a unit of force: an energy over a length, such as kcal/mol/Angstrom.</summary>
    /// <exception cref="InputException">No unit of force.</exception>
    public static double Force(string text, string place)
    {
        (string energy, string length) = Parts(text, place, "eV/Angstrom, kcal/mol/Angstrom or Hartree/Bohr");
        // kcal/mol has a slash of its own, and no length.
        if (length.Trim().Equals("mol", StringComparison.OrdinalIgnoreCase)) throw new InputException(place, $"'{text}'", "an energy over a length, such as kcal/mol/Angstrom");
        return EnergyUnit.Parse(energy, place).ElectronVolts / LengthUnit.Parse(length, place).Angstroms;
    }

    /// <summary>eV/Angstrom^3 in a unit of stress: one of pressure, or an energy over a length cubed.</summary>
    /// <inheritdoc cref="Force"/>
    public static double Stress(string text, string place)
    {
        if (!text.Contains('/', StringComparison.Ordinal)) return Parse(text, place).ElectronVoltsPerCubicAngstrom;
        const string expected = "GPa, kbar, bar, eV/Angstrom^3 or Hartree/Bohr^3";
        (string energy, string volume) = Parts(text, place, expected);
        string length = volume.EndsWith("**3", StringComparison.Ordinal) ? volume[..^3] : volume.EndsWith("^3", StringComparison.Ordinal) ? volume[..^2]
            : volume.EndsWith('3') ? volume[..^1] : throw new InputException(place, $"'{text}'", expected);
        return EnergyUnit.Parse(energy, place).ElectronVolts / Math.Pow(LengthUnit.Parse(length, place).Angstroms, 3);
    }

    private static (string Over, string Under) Parts(string text, string place, string expected) =>
        text.LastIndexOf('/') is > 0 and var slash ? (text[..slash], text[(slash + 1)..]) : throw new InputException(place, $"'{text}'", expected);

    public static PressureUnit Gigapascal { get; } = new("GPa", PhysicalConstants.Codata2018.Gigapascal);

    public static PressureUnit Kilobar { get; } = new("kbar", PhysicalConstants.Codata2018.Gigapascal / 10);

    public static PressureUnit Megapascal { get; } = new("MPa", PhysicalConstants.Codata2018.Gigapascal / 1e3);

    public static PressureUnit Bar { get; } = new("bar", PhysicalConstants.Codata2018.Gigapascal / 1e4);

    public static PressureUnit Pascal { get; } = new("Pa", PhysicalConstants.Codata2018.Gigapascal / 1e9);

    public static PressureUnit ElectronVoltPerCubicAngstrom { get; } = new("eV/A^3", 1);

    /// <exception cref="InputException">Nothing stated, or no unit of pressure.</exception>
    /// <param name="text">In any case: GPa, MPa, Pa, kbar, bar, eV/A^3.</param>
    /// <param name="place">Option, or file and key, that states it.</param>
    public static PressureUnit Parse(string text, string place = "unit of stress") => text.Trim().ToLowerInvariant() switch
    {
        "gpa" => Gigapascal,
        "mpa" => Megapascal,
        "pa" => Pascal,
        "kbar" => Kilobar,
        "bar" => Bar,
        "ev/a^3" or "ev/ang^3" or "ev/a3" or "ev/angstrom^3" => ElectronVoltPerCubicAngstrom,
        "" => throw new InputException(place, "not stated", "GPa, kbar or eV/A^3"),
        _ => throw new InputException(place, $"'{text}'", "GPa, kbar or eV/A^3"),
    };

    public override string ToString() => Name;
}
