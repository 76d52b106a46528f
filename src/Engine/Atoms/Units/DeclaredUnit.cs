namespace ChemScale.Engine.Atoms.Units;

/// <summary>What a file may declare a unit of.</summary>
internal enum Quantity
{
    /// <summary>Nothing that is read.</summary>
    None,
    Energy,
    Length,
    Force,
    Stress,
    Virial,
}

/// <summary>
/// Keys by which files declare the units of their numbers: energy-unit, force_units, e_unit, unit_length, and those of a label by its own name
/// (REF_energy_unit). A unit that is declared is used, or refused by its name: never passed over.
/// </summary>
internal static class DeclaredUnit
{
    private static readonly string[] Marks = ["_units", "_unit", "units", "unit"];

    /// <param name="key">Of the file, in any case of letters.</param>
    /// <param name="labels">Those that were chosen, whose names count too.</param>
    public static Quantity Of(string key, LabelKeys labels)
    {
        if (!key.Contains("unit", StringComparison.OrdinalIgnoreCase)) return Quantity.None;
        string name = key.ToLowerInvariant().Replace('-', '_');
        // Alone it can be the energy's only: every other follows from it and a length.
        if (name is "unit" or "units") return Quantity.Energy;
        string? of = Marks.Where(mark => name.EndsWith(mark, StringComparison.Ordinal)).Select(mark => name[..^mark.Length]).FirstOrDefault()
            ?? ((string[])["units_", "unit_"]).Where(mark => name.StartsWith(mark, StringComparison.Ordinal)).Select(mark => name[mark.Length..]).FirstOrDefault();
        if (of is null) return Quantity.None;
        if (Is(labels.Energy)) return Quantity.Energy;
        if (Is(labels.Forces)) return Quantity.Force;
        if (Is(labels.Stress)) return of.Contains("virial", StringComparison.Ordinal) ? Quantity.Virial : Quantity.Stress;
        return of switch
        {
            "energy" or "energies" or "e" => Quantity.Energy,
            "length" or "distance" or "position" or "positions" or "pos" or "coords" or "coordinates" or "r" or "lattice" => Quantity.Length,
            "force" or "forces" or "f" => Quantity.Force,
            "stress" or "stresses" => Quantity.Stress,
            "virial" or "virials" => Quantity.Virial,
            _ => Quantity.None,
        };

        bool Is(string? label) => label is not null && label.ToLowerInvariant().Replace('-', '_') == of;
    }

    /// <summary>A unit beside one that another key declared.</summary>
    /// <exception cref="InputException">They differ.</exception>
    public static T Once<T>(T? before, T unit, string place)
        where T : class => before is null || before.Equals(unit) ? unit : throw new InputException(place, $"{unit} beside {before}", "one unit of a kind");
}
