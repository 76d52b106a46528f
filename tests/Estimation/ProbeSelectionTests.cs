using System.Reflection;
using ChemScale.Engine;
using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class ProbeSelectionTests
{
    private const BindingFlags AllInstance =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [TestCase(12, 0.2, 0.7333333333333333)]
    [TestCase(12, 0.1, 0.825)]
    public void Probing_all_and_finishing_one_saves_what_the_arithmetic_says(int runs, double fraction, double saved)
    {
        Expect.Close(ComputeSaved.Of(runs, fraction).Share, saved, absolute: 1e-15);
        Expect.Close((1 - fraction) * (1 - 1.0 / runs), saved, absolute: 1e-15);
        ProbeView[] probes = [.. Enumerable.Range(0, runs).Select(k => ProbeView.Of(Run(1 + 0.1 * k), fraction))];
        ProbeSelection selection = ProbeSelection.KeepBest(probes);
        Expect.Close(selection.Saved.Share, saved, absolute: 1e-15);
        Assert.That(selection.Kept, Is.EqualTo(new[] { 0 }));
        Assert.That(selection.Verdicts.Count(v => v.Kept), Is.EqualTo(1));
    }

    [Test]
    public void A_probe_cannot_see_beyond_its_budget()
    {
        LossCurve recorded = Run(1);
        ProbeView probe = ProbeView.Of(recorded, 0.2);
        Assert.That(probe.Curve.Steps, Has.Count.EqualTo(20));
        Expect.Below(probe.Curve.Epochs.Max(e => e.Epoch), 2);
        Expect.Below(probe.Curve.Validation.Max(v => v.Step), 20);
        Assert.That(probe.Fraction, Is.EqualTo(0.2));
        // Nothing reachable from the view holds the rest, whatever its access.
        Assert.That(Reachable(probe).OfType<double>(), Has.None.EqualTo(recorded.Steps[20].Loss));
        Assert.That(Reachable(recorded).OfType<double>(), Has.Some.EqualTo(recorded.Steps[20].Loss), "the search finds what is there");
    }

    [Test]
    public void A_selection_is_the_same_whatever_came_after_the_probe()
    {
        LossCurve[] runs = [Run(1), Run(1.2), Run(1.1)];
        LossCurve[] altered = [.. runs.Select((r, k) => new LossCurve(r.Name,
            [.. r.Steps.Select(s => s.Step < 20 ? s : s with { Loss = 10 - k })],
            validation: [.. r.Validation.Select(v => v.Step < 20 ? v : v with { Loss = k })]))];
        foreach (ProbeEstimator estimator in Enum.GetValues<ProbeEstimator>())
        {
            ProbeSelection a = ProbeSelection.KeepBest([.. runs.Select(r => ProbeView.Of(r, 0.2).WithBranch(r.Prefix(24)))], estimator);
            ProbeSelection b = ProbeSelection.KeepBest([.. altered.Zip(runs, (r, branch) => ProbeView.Of(r, 0.2).WithBranch(branch.Prefix(24)))], estimator);
            Assert.That(b.Verdicts, Is.EqualTo(a.Verdicts), estimator.ToString());
        }
    }

    [Test]
    public void A_branch_that_was_cooled_ranks_a_run_and_is_paid_for()
    {
        LossCurve[] runs = [Run(1), Run(1.2), Run(1.1)];
        // The other way round than the probes.
        ProbeView[] probes = [.. runs.Select((r, k) => ProbeView.Of(r, 0.2).WithBranch(Run(2 - 0.1 * k).Prefix(24)))];
        ProbeSelection selection = ProbeSelection.KeepBest(probes, ProbeEstimator.Annealed);
        Assert.That(selection.Best, Is.EqualTo(2));
        Assert.That(selection.Verdicts.Select(v => v.Estimate), Is.EqualTo(probes.Select(p => (double?)p.Cooled!.LastTrainingLoss)));
        // Of 100 steps each, 20 of the probe and 4 of the branch; 80 more of the one that goes on from before the branch.
        Expect.Close(selection.Saved.Share, 1 - (3 * 24 + 80) / 300.0, absolute: 1e-15);
        ProbeView[] without = [ProbeView.Of(runs[0], 0.2)];
        Assert.That(() => ProbeSelection.KeepBest(without, ProbeEstimator.Annealed), Throws.TypeOf<InputException>().With.Message.Contains("no branch"));
    }

    [Test]
    public void Diverged_runs_are_never_kept()
    {
        var diverged = new LossCurve("diverged", [new StepLoss(0, 0, 0.001), new StepLoss(0, 1, double.NaN)]);
        ProbeSelection selection = ProbeSelection.KeepBest([ProbeView.Of(diverged, 0.2, 100), ProbeView.Of(Run(1), 0.2)], count: 2);
        Assert.That(selection.Kept, Is.EqualTo(new[] { 1 }));
        Assert.That(selection.Verdicts[0], Is.EqualTo(new ProbeVerdict("diverged", null, null, null, 2, false, true)));
        Assert.That(() => ProbeSelection.KeepBest([ProbeView.Of(diverged, 0.2, 100)]), Throws.TypeOf<InputException>());
        Assert.That(() => ProbeView.Of(new LossCurve("short", [new StepLoss(0, 0, 1)]), 0.2, 100), Throws.TypeOf<InputException>());
    }

    [Test]
    public void The_undecided_are_those_that_the_regression_cannot_tell_from_the_best()
    {
        double[] early = [1, 2, 3, 4, 5, 6];
        double[] final = [1.02, 1.97, 3.05, 3.96, 5.04, 5.97];
        FinalLossRegression sharp = FinalLossRegression.Fit(early, final);
        FinalLossRegression blurred = FinalLossRegression.Fit(early, [1.6, 1.2, 3.9, 3.1, 5.8, 5.1]);
        ProbeView[] probes = [.. new[] { 2.0, 2.5, 60.0 }.Select(level => ProbeView.Of(Level(level), 0.5))];
        ProbeSelection one = ProbeSelection.KeepUndecided(probes, sharp, ProbeEstimator.LastTrainingLoss);
        ProbeSelection two = ProbeSelection.KeepUndecided(probes, blurred, ProbeEstimator.LastTrainingLoss);
        Assert.That(one.Kept, Is.EqualTo(new[] { 0 }));
        Assert.That(two.Kept, Is.EqualTo(new[] { 0, 1 }));
        Expect.Close(two.Saved.Share, 1 - (0.5 * 3 + 0.5 * 2) / 3, absolute: 1e-15);
        Assert.That(one.Verdicts[0].Predicted, Is.EqualTo(sharp.Predict(2)));
    }

    // 10 epochs of 10 steps falling towards a floor.
    private static LossCurve Run(double floor) => new($"floor {floor}",
        [.. Enumerable.Range(0, 100).Select(i => new StepLoss(i / 10, i, floor + 3 / (1.0 + i)))],
        validation: [.. Enumerable.Range(0, 10).Select(e => new ValidationLoss(e, 10 * e + 9, floor + 0.1 + 3 / (10.0 + 10 * e)))]);

    private static LossCurve Level(double level) =>
        new($"level {level}", [.. Enumerable.Range(0, 10).Select(i => new StepLoss(i, i, level))]);

    private static List<object> Reachable(object root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var found = new List<object>();
        var open = new Stack<object>([root]);
        while (open.TryPop(out object? item))
        {
            found.Add(item);
            Type type = item.GetType();
            if (type.IsPrimitive || item is string or Type or MemberInfo || (!type.IsValueType && !seen.Add(item)))
                continue;
            if (item is System.Collections.IEnumerable list) foreach (object? element in list) if (element is not null) open.Push(element);
            for (Type? t = type; t is not null; t = t.BaseType)
            {
                foreach (FieldInfo field in t.GetFields(AllInstance)) if (field.GetValue(item) is { } value) open.Push(value);
            }
        }
        return found;
    }
}
