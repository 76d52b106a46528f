namespace ChemScale.Engine.Atoms.Formats;

/// <summary>
/// The usual names of labels, the reference calculation's first: where a file holds both, the plain one may be a model's.
/// </summary>
internal static class LabelNames
{
    public static IReadOnlyList<string> Energy { get; } = ["REF_energy", "energy", "Energy", "free_energy"];

    public static IReadOnlyList<string> Forces { get; } = ["REF_forces", "REF_force", "forces", "force"];

    public static IReadOnlyList<string> Stress { get; } = ["REF_stress", "stress", .. Virial];

    public static IReadOnlyList<string> Charge { get; } = ["charge", "total_charge"];

    public static IReadOnlyList<string> Spin { get; } = ["spin", "total_spin", "magmom"];

    private static string[] Virial => ["REF_virials", "REF_virial", "virials", "virial"];

    public static bool IsVirial(string name) => name.Contains("virial", StringComparison.OrdinalIgnoreCase);

    /// <summary>The one that is asked for, else the first of the usual ones; null where the file has neither.</summary>
    public static string? Choose(string? asked, IReadOnlyList<string> usual, Func<string, bool> has) =>
        asked is not null ? (has(asked) ? asked : null) : usual.FirstOrDefault(has);
}
