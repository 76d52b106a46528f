namespace ChemScale.Engine.Atoms;

/// <summary>The names under which a file gave its labels; null where it gave none.</summary>
/// <param name="Energy">For example <c>REF_energy</c>.</param>
/// <param name="Forces">For example <c>forces</c>.</param>
/// <param name="Stress">For example <c>virial</c>, from which the stress was derived.</param>
public sealed record LabelKeys(string? Energy, string? Forces, string? Stress)
{
    public override string ToString() => $"energy: {Energy ?? "none"}, forces: {Forces ?? "none"}, stress: {Stress ?? "none"}";
}
