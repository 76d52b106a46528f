namespace ChemScale.Engine.Atoms.Units;

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
        "angstrom" or "ang" or "a" or "å" => Angstrom,
        "bohr" or "a0" or "au" or "a.u." => Bohr,
        "nm" or "nanometre" or "nanometer" => Nanometre,
        "" => throw new InputException(place, "not stated", "Angstrom, Bohr or nm"),
        _ => throw new InputException(place, $"'{text}'", "Angstrom, Bohr or nm"),
    };

    public override string ToString() => Name;
}
