using ChemScale.Engine;
using ChemScale.Engine.Estimation.Selection;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class UndecidedRuleTests
{
    private static readonly double[] Early = [7, 1, 3, double.PositiveInfinity, 5, 2, 4, 6, 8];

    [Test]
    public void The_calibration_is_spread_over_the_more_promising_half_and_asked_for_first()
    {
        // Eight runs that did not diverge: figures 1 to 4 are the better half.
        IReadOnlyList<int> first = UndecidedRule.Next(Early, Unknown());
        Assert.That(first.Select(i => Early[i]), Is.EqualTo(new double[] { 1, 2, 3, 4 }));
        double[] twelve = [.. Enumerable.Range(0, 12).Select(k => (double)k)];
        Assert.That(UndecidedRule.Next(twelve, [.. twelve.Select(_ => double.NaN)]), Is.EqualTo(new[] { 0, 2, 3, 5 }));
    }

    [Test]
    public void An_exact_line_leaves_nobody_undecided()
    {
        double[] final = Unknown();
        foreach (int i in UndecidedRule.Next(Early, final)) final[i] = 2 * Early[i];
        Assert.That(UndecidedRule.Next(Early, final), Is.Empty);
    }

    [Test]
    public void A_line_that_says_nothing_leaves_everybody_undecided_until_all_are_finished()
    {
        double[] noise = [1.1, 1.3, 1, 0, 1.2, 1.1, 1.4, 1.15, 1.25], final = Unknown();
        int rounds = 0;
        while (UndecidedRule.Next(Early, final) is { Count: > 0 } next)
        {
            foreach (int i in next) final[i] = noise[i];
            if (++rounds > 20) Assert.Fail("does not end");
        }
        Expect.AtMost(final.Count(double.IsNaN), 3, "the run that diverged is never finished; a few may have become improbable");
        Assert.That(double.IsNaN(final[3]), Is.True);
    }

    [Test]
    public void The_more_certain_the_line_the_fewer_are_finished()
    {
        int[] counts = [.. new[] { 1e-3, 0.3, 3 }.Select(Finished)];
        Expect.Ascending(counts);
        Expect.Below(counts[0], counts[2]);

        static int Finished(double noise)
        {
            double[] early = [.. Enumerable.Range(0, 12).Select(k => k / 3.0)], final = [.. early.Select(_ => double.NaN)];
            while (UndecidedRule.Next(early, final) is { Count: > 0 } next)
                foreach (int i in next) final[i] = early[i] + noise * Math.Sin(7 * i + 1);
            return final.Count(f => !double.IsNaN(f));
        }
    }

    [Test]
    public void Runs_that_diverge_while_they_are_finished_are_made_up_for()
    {
        double[] final = Unknown();
        foreach (int i in UndecidedRule.Next(Early, final)) final[i] = double.PositiveInfinity;
        IReadOnlyList<int> next = UndecidedRule.Next(Early, final);
        Assert.That(next.Select(i => Early[i]), Is.EqualTo(new double[] { 5 }));
    }

    [Test]
    public void Settings_out_of_range_are_refused()
    {
        foreach (Action wrong in (Action[])
            [() => UndecidedRule.Next(Early, Unknown(), 0.5), () => UndecidedRule.Next(Early, Unknown(), calibration: 2), () => UndecidedRule.Next(Early, Unknown(), most: 0)])
            Assert.That(wrong, Throws.TypeOf<InputException>());
    }

    private static double[] Unknown() => [.. Early.Select(_ => double.NaN)];
}
