namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Like Optuna's PatientPruner: a run stops when its best loss is some checks old and, where there is another rule, that says so too.
/// </summary>
/// <param name="checks">Looks at a run.</param>
/// <param name="patience">Checks without improvement.</param>
/// <param name="least">Improvement that counts.</param>
/// <param name="rule">Null: patience alone.</param>
public sealed class PatientPruner(int checks = 20, int patience = 3, double least = 0, SequentialPruner? rule = null)
    : SequentialPruner(checks)
{
    public override string Name => FormattableString.Invariant($"patient {100.0 * patience / Checks:0.#} %")
        + (rule is null ? "" : $", {rule.Name}");

    protected internal override bool Stops(IReadOnlyList<double> history, IReadOnlyList<IReadOnlyList<double>> earlier)
    {
        if (history.Count <= patience) return false;
        double before = history.Take(history.Count - patience).Min(), since = history.Skip(history.Count - patience).Min();
        return since >= before - least && (rule?.Stops(history, earlier) ?? true);
    }
}
