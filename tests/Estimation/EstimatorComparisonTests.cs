using ChemScale.Engine;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class EstimatorComparisonTests
{
    private static readonly double[] First = [1, 2, 3, 4, 5, 6, 7, 8], Second = [1.1, 2, 2.9, 4.2, 5, 6.3, 6.9, 8];

    [Test]
    public void Ranks_regrets_and_first_places_are_those_of_a_count_by_hand()
    {
        // Swaps of neighbours: 1 - 6 * 4 * 2 / (8 * 63) in rho; the best comes third where it stands behind two.
        double[] swapped = [2, 1, 4, 3, 6, 5, 8, 7], third = [3, 1, 2, 4, 5, 6, 7, 8], reversed = [.. First.Reverse()];
        var comparison = EstimatorComparison.Of(["swapped", "right", "third", "reversed"],
            [new EstimatorTrial(First, [swapped, First, third, reversed]), new EstimatorTrial(Second, [swapped, Second, third, reversed])]);
        EstimatorRow[] rows = [.. comparison.Rows];
        Expect.Close(rows.Select(r => r.Spearman!.Value), new[] { 1 - 6 * 8 / 504.0, 1, 1 - 6 * 6 / 504.0, -1 }, absolute: 1e-12);
        double second = (Math.Log(2) + Math.Log(2 / 1.1)) / 2, eighth = (Math.Log(8) + Math.Log(8 / 1.1)) / 2;
        Expect.Close(rows.Select(r => r.Regret), new[] { second, 0, second, eighth }, absolute: 1e-12);
        Expect.Close(rows[0].WorstRegret, Math.Log(2), absolute: 1e-12);
        Assert.That(rows.Select(r => r.BestAmong), Is.EqualTo(new double[][] { [0, 1, 1], [1, 1, 1], [0, 0, 1], [0, 0, 0] }));
        Assert.That(rows[0].Difference, Is.Null, "nothing to compare the first with");
        Expect.Above(rows[1].Difference!.Low, -1e-12);
        Expect.Below(rows[3].Difference!.High, -1);
        Expect.Close(rows[1].Interval!.Low, 1, absolute: 1e-12);
    }

    [Test]
    public void What_another_seed_foretells_is_the_ceiling_and_the_noise_is_that_of_the_logarithms()
    {
        var comparison = EstimatorComparison.Of(["right"], [new EstimatorTrial(First, [First]), new EstimatorTrial(Second, [Second])], resamples: 50);
        double squares = First.Zip(Second, (a, b) => Math.Pow(Math.Log(a / b), 2) / 2).Sum();
        Expect.Close(comparison.Noise, Math.Sqrt(squares / 8), absolute: 1e-12);
        Expect.Close(comparison.Ceiling!.Spearman, 1, absolute: 1e-12);
        Assert.That(EstimatorComparison.Of(["right"], [new EstimatorTrial(First, [First])], resamples: 50).Noise, Is.Null);
    }

    [Test]
    public void Sets_together_count_the_same_and_their_interval_is_narrower_than_each_ones()
    {
        double[] swapped = [2, 1, 4, 3, 6, 5, 8, 7], reversed = [.. First.Reverse()];
        EstimatorComparison[] sets = [.. Enumerable.Range(0, 6).Select(k => EstimatorComparison.Of(["mixed", "right"],
            [new EstimatorTrial(First, [k % 2 == 0 ? swapped : reversed, First])], resamples: 500, seed: (ulong)k))];
        var together = EstimatorComparison.Together(sets);
        Expect.Close(together.Rows[0].Spearman, (1 - 6 * 8 / 504.0 - 1) / 2, absolute: 1e-12);
        Expect.Close(together.Rows[0].Regret, (Math.Log(2) + Math.Log(8)) / 2, absolute: 1e-12);
        Expect.Close(together.Rows[0].WorstRegret, Math.Log(8), absolute: 1e-12);
        Expect.Close(together.Rows[1].BestAmong[0], 1, absolute: 1e-12);
        Expect.Above(together.Rows[1].Difference!.Low, 0.9);
        Expect.Below(together.Rows[0].Interval!.High - together.Rows[0].Interval!.Low, (sets[0].Rows[0].Interval!.High - sets[0].Rows[0].Interval!.Low)!.Value);
        Assert.That(together.Ceiling, Is.Null);
        Assert.That(() => EstimatorComparison.Together([]), Throws.TypeOf<InputException>());
    }

    [Test]
    public void An_interval_holds_rho_of_noise_as_often_as_it_says()
    {
        // 200 searches whose figures have nothing to do with the losses: the interval holds 0 in about 95 of 100, no fewer than 85.
        var random = new Random(5);
        int held = 0;
        for (int k = 0; k < 200; k++)
        {
            double[] figures = [.. First.Concat(Second).Select(_ => random.NextDouble())], losses = [.. First.Concat(Second).Select(_ => random.NextDouble())];
            ConfidenceInterval interval = EstimatorComparison.Of(["noise"], [new EstimatorTrial(losses, [figures])], resamples: 200, seed: (ulong)k).Rows[0].Interval!;
            if (interval.Low <= 0 && interval.High >= 0) held++;
        }
        Expect.AtLeast(held, 170);
    }

    [Test]
    public void A_diverged_configuration_is_the_worst_and_searches_that_differ_are_refused()
    {
        double[] last = [1, 2, 3, double.PositiveInfinity];
        var comparison = EstimatorComparison.Of(["right"], [new EstimatorTrial(last, [last])], resamples: 50);
        Expect.Close(comparison.Rows[0].Spearman, 1, absolute: 1e-12);
        Assert.That(() => EstimatorComparison.Of(["a"], []), Throws.TypeOf<InputException>());
        Assert.That(() => EstimatorComparison.Of(["a"], [new EstimatorTrial(First, [First]), new EstimatorTrial(last, [last])]), Throws.TypeOf<InputException>());
    }
}
