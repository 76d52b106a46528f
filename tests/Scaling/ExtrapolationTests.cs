using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Extrapolation;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class ExtrapolationTests
{
    [Test]
    public void The_true_family_extrapolates_best()
    {
        ScalingPoints floored = Synthetic.Curve(r => 30 * Math.Pow(r, -0.3) + 0.4, 24, noise: 0.003, seed: 8);
        ExtrapolationTest test = ExtrapolationTest.Run(floored, ScalingFamilies.OfOneResource, [Resource.Parameters]);
        Assert.That(test.TrainingCount + test.TestCount, Is.EqualTo(24));
        Assert.That(test.TestCount, Is.EqualTo(floored.Kept.Count(p => p.N > 1e7 * 1.0001)));
        ExtrapolationScore plain = test.Scores.Single(s => s.Form == "power-law"),
            right = test.Scores.Single(s => s.Form == "power-law-with-floor");
        Expect.Below(right.Rank, plain.Rank!.Value);
        Expect.Below(right.LogError, 0.03);
        Expect.Below(plain.Bias, -0.05, "a line promises too much where the loss levels off");
        Expect.Ascending(test.Scores.Select(s => s.Rank!.Value));
    }

    [Test]
    public void Scores_come_from_a_fit_that_never_saw_the_large_runs()
    {
        ScalingPoints points = Synthetic.Curve(r => 30 * Math.Pow(r, -0.3) + 0.4, 20, noise: 0.01, seed: 9);
        ScalingPoints altered = new([.. points.Kept.Select(p => p.N > 1.0001e7 ? p with { Loss = 3 * p.Loss } : p)]);
        ExtrapolationTest a = ExtrapolationTest.Run(points, [LogSumExpFamily.PowerLaw], [Resource.Parameters]);
        ExtrapolationTest b = ExtrapolationTest.Run(altered, [LogSumExpFamily.PowerLaw], [Resource.Parameters]);
        Assert.That(b.Scores[0].Predictions.Select(p => p.Predicted), Is.EqualTo(a.Scores[0].Predictions.Select(p => p.Predicted)));
        Assert.That(a.Scores[0].Predictions.Select(p => p.Predicted),
            Is.EqualTo(points.Kept.Where(p => p.N > 1.0001e7).Select(p => ScalingFitter.Fit(LogSumExpFamily.PowerLaw,
                new ScalingPoints([.. points.Kept.Where(q => q.N < 1.0001e7)]), Resource.Parameters).Predict(p.N!.Value))));
    }

    [Test]
    public void A_family_with_too_few_small_runs_is_listed_with_the_reason()
    {
        ScalingPoints points = Synthetic.Curve(r => 30 * Math.Pow(r, -0.3) + 0.4, 6);
        ExtrapolationTest test = ExtrapolationTest.Run(points, [SigmoidalFamily.M4, LogSumExpFamily.PowerLaw], [Resource.Parameters]);
        Assert.That(test.Scores[0].Form, Is.EqualTo("power-law"));
        Assert.That(test.Scores[1].Rank, Is.Null);
        Assert.That(test.Scores[1].Refusal, Does.Contain("at least 6 are needed"));
        Assert.That(() => ExtrapolationTest.Run(points, [LogSumExpFamily.PowerLaw], [Resource.Parameters], factor: 1e9),
            Throws.TypeOf<InputException>());
    }

    [Test]
    public void The_regime_of_a_power_law_ends_where_the_law_does()
    {
        // A power law to 1e7 that then levels off; 8 points a decade.
        ScalingPoints points = Synthetic.Curve(r => Math.Pow(1 / r + 1e-7, 0.25), 33, 1e3, 1e9, noise: 0.002, seed: 10);
        PowerLawRegime regime = PowerLawRegime.Find(points, Resource.Parameters)!;
        Assert.That(regime.WholeRange, Is.False);
        Expect.Below(regime.Low, 1e4);
        Expect.Between(regime.High, 5e5, 2e7);
        Expect.Close(regime.Beta, 0.25, absolute: 0.02);
        PowerLawRegime whole = PowerLawRegime.Find(Synthetic.Curve(r => Math.Pow(r, -0.25), 12), Resource.Parameters)!;
        Assert.That(whole.WholeRange, Is.True);
        Assert.That(whole.PValue, Is.EqualTo(1));
        Assert.That(PowerLawRegime.Find(Synthetic.Curve(r => Math.Pow(r, 0.25), 12), Resource.Parameters), Is.Null);
    }

    [Test]
    public void Seed_noise_is_pooled_over_groups_and_judges_a_fit()
    {
        var random = new CounterRandom(4, 0);
        var good = new List<ScalingPoint>();
        var bent = new List<ScalingPoint>();
        for (int i = 0; i < 40; i++)
        {
            double n = 1e4 * Math.Pow(10, i / 4 / 3.0), noise = Math.Exp(0.02 * random.NextNormal());
            good.Add(new ScalingPoint { N = n, Seed = i % 4, Loss = 5 * Math.Pow(n, -0.2) * noise });
            bent.Add(new ScalingPoint { N = n, Seed = i % 4, Loss = (5 * Math.Pow(n, -0.2) + 0.3) * noise });
        }
        SeedNoise seeds = SeedNoise.Of(new ScalingPoints(good))!;
        Assert.That(seeds.Groups, Is.EqualTo(10));
        Assert.That(seeds.Degrees, Is.EqualTo(30));
        Assert.That(seeds.ErrorInterval.Contains(0.02), Is.True);
        Expect.Above(seeds.LackOfFitPValue(ScalingFitter.Fit(LogSumExpFamily.PowerLaw, new ScalingPoints(good), Resource.Parameters)), 0.01);
        Expect.Below(seeds.LackOfFitPValue(ScalingFitter.Fit(LogSumExpFamily.PowerLaw, new ScalingPoints(bent), Resource.Parameters)), 1e-3);
        Assert.That(SeedNoise.Of(Synthetic.Curve(r => 1 / r, 5)), Is.Null);
    }
}
