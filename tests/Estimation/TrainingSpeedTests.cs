using ChemScale.Engine;
using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Curves;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class TrainingSpeedTests
{
    [Test]
    [Category("Data")]
    public void The_litmatter_convention_reproduces_its_golden_values()
    {
        LossCurve curve = LossCurve.ReadCsv(ReferenceData.Require("fits/litmatter_metrics.csv"));
        TseEstimate estimate = TrainingSpeed.Estimate(curve, 10, 1, 0.999, TseConvention.Litmatter);
        Expect.Close(estimate.Tse / 129.8276312691825, 1, absolute: 1e-12);
        Expect.Close(estimate.TseE / 5.670970326378232, 1, absolute: 1e-12);
        Expect.Close(estimate.TseEma / 134.53728970599116, 1, absolute: 1e-12);
    }

    [Test]
    public void All_three_sum_over_the_first_T_epochs_by_default()
    {
        TseEstimate estimate = TrainingSpeed.Estimate(Staircase(), 3, 2, 0.5);
        Assert.That(estimate.Tse, Is.EqualTo(8 + 6 + 4));
        Assert.That(estimate.TseE, Is.EqualTo(6 + 4));
        Assert.That(estimate.TseEma, Is.EqualTo(8 * 0.25 + 6 * 0.5 + 4));
        Assert.That(estimate.LastLoss, Is.EqualTo(4));
    }

    [Test]
    public void The_litmatter_convention_looks_one_epoch_further()
    {
        TseEstimate estimate = TrainingSpeed.Estimate(Staircase(), 3, 2, 0.5, TseConvention.Litmatter);
        Assert.That(estimate.Tse, Is.EqualTo(8 + 6 + 4));
        Assert.That(estimate.TseE, Is.EqualTo(4 + 2));
        Assert.That(estimate.TseEma, Is.EqualTo(8 * 0.125 + 6 * 0.25 + 4 * 0.5 + 2));
        Assert.That(() => TrainingSpeed.Estimate(Staircase(), 4, convention: TseConvention.Litmatter),
            Throws.TypeOf<InputException>().With.Message.Contains("one epoch beyond"));
    }

    [Test]
    public void A_fraction_of_an_epoch_counts_steps_back_from_the_end_of_the_probe()
    {
        // Steps 9 7 | 7 5 | 5: T = 2.5 epochs; windows from the end: (5, 5), (7, 7), half an epoch of 9.
        TseEstimate estimate = TrainingSpeed.Estimate(Staircase(), 2.5, 1, 0.5);
        Assert.That(estimate.Tse, Is.EqualTo((9 + 7 + 7 + 5 + 5) / 2.0));
        Assert.That(estimate.TseE, Is.EqualTo(5));
        Assert.That(estimate.TseEma, Is.EqualTo(5 + 7 * 0.5 + 4.5 * 0.25));
    }

    [Test]
    public void Steps_and_epochs_agree_where_the_probe_ends_with_an_epoch()
    {
        var steps = new LossCurve("steps", [.. Staircase().Steps.Select(s => s with { Epoch = null })], stepsPerEpoch: 2);
        for (int t = 1; t <= 4; t++)
            Assert.That(TrainingSpeed.Estimate(steps, t, 1, 0.9), Is.EqualTo(TrainingSpeed.Estimate(Staircase(), t, 1, 0.9)));
    }

    [Test]
    public void A_probe_too_short_or_a_parameter_out_of_range_is_refused()
    {
        foreach (Action wrong in (Action[])
            [
                () => TrainingSpeed.Estimate(Staircase(), 5), () => TrainingSpeed.Estimate(Staircase(), 0),
                () => TrainingSpeed.Estimate(Staircase(), double.NaN), () => TrainingSpeed.Estimate(Staircase(), 2, 3),
                () => TrainingSpeed.Estimate(Staircase(), 2, gamma: 1.5),
                () => TrainingSpeed.Estimate(Staircase(), 1.5, convention: TseConvention.Litmatter),
            ])
            Assert.That(wrong, Throws.TypeOf<InputException>());
    }

    // Four epochs of two steps, with means 8, 6, 4, 2.
    private static LossCurve Staircase() =>
        new("staircase", [.. new double[] { 9, 7, 7, 5, 5, 3, 3, 1 }.Select((loss, i) => new StepLoss(i / 2, i, loss))]);
}
