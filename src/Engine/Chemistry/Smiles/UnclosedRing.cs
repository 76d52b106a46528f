namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>The reasons that name a ring label, made once.</summary>
internal static class UnclosedRing
{
    private static readonly string?[] Reasons = new string?[1000];

    public static string Reason(int label) => Reasons[label] ??= $"unclosed ring {label}";
}
