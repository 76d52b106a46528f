using ChemScale.Engine;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Pruning;
using ChemScale.Engine.Estimation.Selection;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class ReplayTests
{
    private static IEnumerable<IPruner> Pruners() =>
    [
        new TpePruner(0.2), new TpePruner(0.1), new TpePruner(0.2, ProbeEstimator.Lcga), new TpePruner(0.2, ProbeEstimator.TseEma, 2),
        new SuccessiveHalvingPruner(), new AshaPruner(), new HyperbandPruner(), new MedianPruner(), new PatientPruner(),
        new PatientPruner(rule: new MedianPruner()), new UndecidedTpePruner(0.2), new UndecidedTpePruner(0.1, ProbeEstimator.PowerLaw),
    ];

    [Test]
    public void Probing_all_and_finishing_one_saves_the_product_of_what_each_leaves([Values(4, 5, 12)] int runs, [Values(0.05, 0.1, 0.2)] double fraction)
    {
        LossCurve[] curves = [.. Enumerable.Range(0, runs).Select(k => Curve(k, 1 + 0.1 * k))];
        IPruner[] tpe = [.. ReplaySet.At(fraction, [ProbeEstimator.Tse, ProbeEstimator.LastTrainingLoss]).OfType<TpePruner>()];
        Replay replay = Replay.Run(curves, tpe, [new RunCosts("runs", [.. curves.Select(_ => 1.0)])]);
        Assert.That(replay.Rows, Has.Count.EqualTo(2));
        Expect.AllClose(replay.Rows.Select(r => r.Savings.Single().Share), (1 - fraction) * (1 - 1.0 / runs), absolute: 1e-12);
    }

    [Test]
    public void No_pruner_of_the_set_stops_a_run_before_the_share_of_the_budget_it_is_set_to([Values(0.05, 0.1, 0.2)] double fraction)
    {
        foreach (IPruner pruner in ReplaySet.At(fraction, [ProbeEstimator.Tse, ProbeEstimator.LastTrainingLoss]))
        {
            RecordedRun[] runs = Recorded(Curves());
            pruner.Run(runs);
            Expect.AtLeast(runs.Min(r => r.Spent), fraction - 1e-9, pruner.Name);
        }
    }

    [TestCaseSource(nameof(Pruners))]
    public void What_came_after_all_that_was_paid_for_changes_nothing(IPruner pruner)
    {
        LossCurve[] curves = Curves();
        var runs = Recorded(curves);
        PrunerChoice choice = pruner.Run(runs);
        LossCurve[] altered = [.. curves.Select((c, k) => new LossCurve(c.Name,
            [.. c.Steps.Select((s, i) => i < Math.Round(runs[k].Spent * c.Length) ? s : s with { Loss = 100 - k })]))];
        var again = Recorded(altered);
        PrunerChoice second = pruner.Run(again);
        Assert.That(second.Selected, Is.EqualTo(choice.Selected));
        Assert.That(second.Scores, Is.EqualTo(choice.Scores));
        Assert.That(again.Select(r => r.Spent), Is.EqualTo(runs.Select(r => r.Spent)));
    }

    [Test]
    public void The_table_has_a_row_for_each_pruner_with_honest_savings()
    {
        LossCurve[] curves = Curves();
        RunCosts[] costs = [new("steps", [.. curves.Select(c => (double)c.Length)]),
            new("s", [.. curves.Select((_, k) => k == 0 ? 100.0 : 1)])];
        Replay replay = Replay.Run(curves, [.. Pruners()], costs);
        Assert.That(replay.BestRun, Is.EqualTo("run 4"));
        ReplayRow tpe = replay.Rows[0], tenth = replay.Rows[1];
        Assert.That(tpe.Selected, Is.EqualTo("run 4"));
        Assert.That(tpe.Regret, Is.Zero);
        Expect.Close(tpe.Savings[0].Share, 0.8 * 11 / 12, absolute: 1e-12);
        Expect.Close(tenth.Savings[0].Share, 0.825, absolute: 1e-12);
        Expect.Close(tpe.Savings[1].Share, 1 - (0.2 * 111 + 0.8) / 111, absolute: 1e-12, message: "run 0 alone costs 100 s");
        Expect.Above(tpe.All.Spearman, 0.95);
        Expect.AllBetween(replay.Rows.Select(r => r.Savings[0].Share), 0, 1);
        string table = replay.ToTable();
        TestContext.Out.WriteLine(table);
        Assert.That(table.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(replay.Rows.Count + 1));
        Assert.That(table, Does.Contain("saved steps").And.Contain("73.3 %").And.Contain("82.5 %"));
    }

    [Test]
    public void Successive_halving_spends_what_its_rungs_say()
    {
        RecordedRun[] runs = Recorded([.. Enumerable.Range(0, 9).Select(k => Curve(k, 1 + 0.1 * k))]);
        PrunerChoice choice = new SuccessiveHalvingPruner(1 / 9.0, 3).Run(runs);
        Assert.That(choice.Selected, Is.Zero);
        // 9 to a ninth, 3 to a third, 1 to the end; steps are whole.
        Expect.Close(runs.Select(r => r.Spent), new[] { 1, 0.33, 0.33, 0.11, 0.11, 0.11, 0.11, 0.11, 0.11 }, absolute: 0.01);
        Expect.Ascending(choice.Scores);
    }

    [Test]
    public void ASHA_promotes_a_run_as_soon_as_it_is_among_the_best_third_of_its_rung()
    {
        RecordedRun[] runs = Recorded([.. Enumerable.Range(0, 9).Select(k => Curve(k, 2 - 0.1 * k))]);
        PrunerChoice choice = new AshaPruner(1 / 9.0, 3).Run(runs);
        // Ever better runs come: of each three that have been seen, the last is promoted, then others as the rung fills.
        Assert.That(choice.Selected, Is.EqualTo(8).Or.EqualTo(5));
        Expect.Above(runs[2].Spent, 0.3);
        Expect.Close(runs[0].Spent, 0.11, absolute: 0.01);
    }

    [Test]
    public void Median_stopping_spares_the_first_runs_and_stops_the_worse()
    {
        RecordedRun[] runs = Recorded([.. new[] { 1.0, 1.1, 1.2, 3, 0.9 }.Select((floor, k) => Curve(k, floor))]);
        PrunerChoice choice = new MedianPruner(10).Run(runs);
        Assert.That(choice.Selected, Is.EqualTo(4));
        Expect.Close(runs.Select(r => r.Spent), new[] { 1, 1, 1, 0.2, 1 }, absolute: 1e-12);
    }

    [Test]
    public void Patience_ends_a_run_that_no_longer_improves()
    {
        var flat = new LossCurve("flat", [.. Enumerable.Range(0, 100).Select(i => new StepLoss(i / 10, i, Math.Max(1, 3 - 0.1 * i)))]);
        RecordedRun[] runs = Recorded([flat, Curve(1, 0.5)]);
        PrunerChoice choice = new PatientPruner(10, 3).Run(runs);
        Expect.Close(runs[0].Spent, 0.6, absolute: 1e-12, message: "1 is reached after 30 steps; three checks later");
        Assert.That(runs[1].Spent, Is.EqualTo(1));
        Assert.That(choice.Selected, Is.EqualTo(1));
    }

    [Test]
    public void Diverged_runs_are_never_selected_and_a_replay_of_nothing_else_is_refused()
    {
        var diverged = new LossCurve("diverged",
            [.. Enumerable.Range(0, 12).Select(i => new StepLoss(i / 10, i, i < 11 ? 0.1 : double.NaN))]);
        foreach (IPruner pruner in Pruners().Where(p => p is not TpePruner { Name: "TPE 10 % tse" }))
            Assert.That(Replay.Run([diverged, Curve(1, 1), Curve(2, 2)], [pruner]).Rows[0].Selected, Is.Not.EqualTo("diverged"),
            pruner.Name);
        Assert.That(() => Replay.Run([diverged], [new TpePruner()]), Throws.TypeOf<InputException>());
        Assert.That(() => Replay.Run([], [new TpePruner()]), Throws.TypeOf<InputException>());
    }

    private static RecordedRun[] Recorded(IEnumerable<LossCurve> curves) => [.. curves.Select(c => new RecordedRun(c))];

    // Twelve of 100 steps in 10 epochs; the floor is least for the fifth.
    private static LossCurve[] Curves() => [.. Enumerable.Range(0, 12).Select(k => Curve(k, 1 + 0.05 * Math.Pow(k - 4, 2)))];

    private static LossCurve Curve(int k, double floor) =>
        new($"run {k}", [.. Enumerable.Range(0, 100)
        .Select(i => new StepLoss(i / 10, i, floor + 4 / (3.0 + i) + 0.001 * Math.Sin(7 * i + k)))]);
}
