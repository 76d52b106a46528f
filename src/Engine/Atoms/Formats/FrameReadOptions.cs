using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Atoms.Formats;

/// <summary>What a file of frames does not say itself.</summary>
public sealed record FrameReadOptions
{
    /// <summary>Null: the file's own, or its format's (extxyz: eV); an error where there is neither.</summary>
    public EnergyUnit? Energy { get; init; }

    /// <summary>Null: the file's own, else Angstrom, which all these formats share.</summary>
    public LengthUnit? Length { get; init; }

    /// <summary>The file's forces are gradients of the energy, of the opposite sign (COMP6 does that).</summary>
    public bool ForcesAreGradients { get; init; }

    /// <summary>Labels are not used: where the unit of energy is stated nowhere, any will do.</summary>
    public bool GeometryOnly { get; init; }

    /// <summary>Null: the first of the usual names that is there.</summary>
    public string? EnergyKey { get; init; }

    /// <inheritdoc cref="EnergyKey"/>
    public string? ForcesKey { get; init; }

    /// <inheritdoc cref="EnergyKey"/>
    public string? StressKey { get; init; }

    /// <summary>Heard between rows and members, not only between frames: one frame, or one array, may be all of a file.</summary>
    internal CancellationToken Stop { get; init; }

    /// <summary>The units to convert from.</summary>
    /// <param name="place">The file.</param>
    /// <param name="energy">As the file or its format states it; null where it does not.</param>
    /// <param name="length">As above.</param>
    /// <exception cref="InputException">Nowhere stated, or stated twice and differently.</exception>
    internal LabelUnits Units(string place, EnergyUnit? energy = null, LengthUnit? length = null)
    {
        if (Energy is not null && energy is not null && Energy != energy)
        {
            throw new InputException(place, $"energies in {energy} by its own account", $"{Energy}, as the options say");
        }
        if (Length is not null && length is not null && Length != length)
        {
            throw new InputException(place, $"lengths in {length} by its own account", $"{Length}, as the options say");
        }
        EnergyUnit unit = Energy ?? energy ?? (GeometryOnly ? EnergyUnit.ElectronVolt : null) ?? throw new InputException(
            place,
            "unit of energy not stated",
            "eV, kcal/mol, kJ/mol or Hartree",
            "the file does not say: state it in `units`, such as kcal/mol");
        return new LabelUnits(unit, Length ?? length ?? LengthUnit.Angstrom, ForcesAreGradients);
    }
}

/// <summary>
/// The usual names of labels, the reference calculation's first: where a file holds both, the plain one may be a model's.
/// </summary>
internal static class LabelNames
{
    public static IReadOnlyList<string> Energy { get; } = ["REF_energy", "energy", "Energy", "free_energy"];

    public static IReadOnlyList<string> Forces { get; } = ["REF_forces", "REF_force", "forces", "force"];

    public static IReadOnlyList<string> Stress { get; } = ["REF_stress", "REF_virials", "REF_virial", "stress", "stresses", "virials", "virial"];

    public static IReadOnlyList<string> Charge { get; } = ["charge", "total_charge"];

    public static IReadOnlyList<string> Spin { get; } = ["spin", "total_spin", "magmom"];

    /// <summary>Of all names, those of energies and forces that are not the chosen ones; none of a kind that the options name.</summary>
    public static IReadOnlyCollection<string> Others(IEnumerable<string> names, LabelKeys keys, FrameReadOptions options) =>
    [
        .. names.Where(name => Holds(name, "energ") ? options.EnergyKey is null && name != keys.Energy
            : Holds(name, "force") && options.ForcesKey is null && name != keys.Forces),
    ];

    private static bool Holds(string name, string word) =>
        name.Contains(word, StringComparison.OrdinalIgnoreCase) && !name.Contains("unit", StringComparison.OrdinalIgnoreCase);

    public static bool IsVirial(string name) => name.Contains("virial", StringComparison.OrdinalIgnoreCase);

    /// <summary>The one that is asked for, else the first of the usual ones: a reference calculation's before any other. Null where the file has neither.</summary>
    public static string? Choose(string? asked, IReadOnlyList<string> usual, Func<string, bool> has) =>
        asked is not null ? (has(asked) ? asked : null) : usual.FirstOrDefault(has);
}
