using ChemScale.Engine;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Claims;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

/// <summary>The grade and the words of every kind of series that was once overclaimed.</summary>
public class ClaimTests
{
    private static readonly ClaimOptions Floored = new() { Family = "power-law-with-floor" };

    [Test]
    public void Five_points_over_enough_decades_that_foretell_the_largest_are_shown()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 6, noise: 0.01, seed: 2);
        Claim claim = Inference.Of(points, Resource.Parameters, new ClaimOptions { Held = "D = 4,000 tokens" });
        Assert.That(claim.Grade, Is.EqualTo(ClaimGrade.Shown), claim.Reason);
        Assert.That(claim.Reason, Is.Empty);
        Assert.That(claim.Words, Does.StartWith("Loss falls with N: exponent 0.1"));
        Assert.That(claim.Words, Does.Contain("(4 degrees of freedom); 6 runs over 4.0 decades; D = 4,000 tokens. The largest run, held out, was foretold within "));
        Assert.That(claim.Extrapolation!.Large, Is.EqualTo(1));
        Assert.That(claim.Law, Does.StartWith("L = ").And.Contain(" N^-0.1"));
    }

    [Test]
    public void The_interval_is_Students_by_hand()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 4, noise: 0.05, seed: 7);
        double[] x = [.. points.Kept.Select(p => Math.Log(p.N!.Value))], y = [.. points.Kept.Select(p => Math.Log(p.Loss))];
        double meanX = x.Average(), meanY = y.Average(), xx = x.Sum(v => (v - meanX) * (v - meanX));
        double slope = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / xx;
        double error = Math.Sqrt(x.Zip(y, (a, b) => Math.Pow(b - meanY - slope * (a - meanX), 2)).Sum() / 2 / xx);
        // Two-sided 95 % of Student's t with 2 degrees, from tables.
        const double t = 4.302653;
        ClaimEstimate beta = Inference.Of(points, Resource.Parameters).Exponent!;
        Expect.Close(beta.Value, -slope, absolute: 1e-11);
        Expect.Close(beta.Low, -slope - t * error, absolute: 1e-6);
        Expect.Close(beta.High, -slope + t * error, absolute: 1e-6);
    }

    [Test]
    public void Few_points_or_decades_suggest_and_say_what_is_missing()
    {
        Claim few = Inference.Of(Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 4, noise: 0.003, seed: 1), Resource.Parameters);
        Assert.That(few.Grade, Is.EqualTo(ClaimGrade.Suggested));
        Assert.That(few.Words, Does.StartWith("The points suggest that loss falls with N: ").And.EndWith("Not shown: 4 points, and 5 are needed."));
        Claim narrow = Inference.Of(Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 8, 1e4, 1e5, noise: 0.003, seed: 1), Resource.Parameters);
        Assert.That(narrow.Grade, Is.EqualTo(ClaimGrade.Suggested));
        Assert.That(narrow.Reason, Is.EqualTo("they span 1.00 decades, and 1.5 are needed"));
    }

    [Test]
    public void A_law_that_ends_where_the_large_runs_begin_is_not_shown()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(Math.Min(r, 3e6), -0.17), 8, noise: 0.002, seed: 3);
        Claim claim = Inference.Of(points, Resource.Parameters);
        Assert.That(claim.Grade, Is.EqualTo(ClaimGrade.Suggested));
        Assert.That(claim.Extrapolation!.Passed, Is.False);
        Assert.That(claim.Reason, Does.StartWith("fitted to the smaller 6, the form missed the largest 2 by "));
    }

    [Test]
    public void An_interval_that_includes_zero_determines_nothing()
    {
        Claim claim = Inference.Of(Points((1e4, 2.00), (1e5, 2.05), (1e6, 1.95), (1e7, 1.97)), Resource.Parameters);
        Assert.That(claim.Grade, Is.EqualTo(ClaimGrade.NotDetermined));
        Assert.That(claim.Words, Does.StartWith("The points do not determine how loss changes with N: exponent ").And.EndWith("The interval includes zero."));
        Assert.That(claim.Refusal(1e5), Is.EqualTo("the law is not determined: the interval includes zero"));
    }

    [Test]
    public void Two_distinct_sizes_are_refused_without_a_number()
    {
        Claim claim = Inference.Of(Points((1e4, 3), (1e4, 2.5), (4e4, 2.8), (4e4, 2.2)), Resource.Parameters);
        RefusedFor(claim, "2 distinct values of N, and 3 are needed");
        Assert.That(claim.Words, Is.EqualTo("No law of loss in N is given: 2 distinct values of N, and 3 are needed."));
        // Once apart by rounding alone.
        RefusedFor(Inference.Of(Points((1e4, 3), (1e4 * (1 + 1e-9), 2.5), (4e4, 2.8), (4e4, 2.2)), Resource.Parameters), "2 distinct values");
    }

    [Test]
    public void One_data_size_carries_no_law_in_data()
    {
        var points = new ScalingPoints([.. Enumerable.Range(0, 5).Select(i => new ScalingPoint { N = 1e5, D = 4000, Loss = 2 + 0.01 * i })]);
        RefusedFor(Inference.Of(points, Resource.Data), "1 distinct value of D, and 3 are needed");
        RefusedFor(Inference.Of(Points((1000, 3), (1050, 2.9), (1100, 2.8), (1150, 2.7)), Resource.Parameters), "N hardly varies, by a factor of 1.15");
    }

    [Test]
    public void Identical_losses_are_refused()
    {
        RefusedFor(Inference.Of(Points((1e4, 0.7236), (1e5, 0.7236), (1e6, 0.7236 * (1 + 1e-15)), (1e7, 0.7236)), Resource.Parameters), "every loss is the same");
    }

    [Test]
    public void Three_points_on_a_line_suggest_it_and_say_that_no_scatter_is_known()
    {
        Claim exact = Inference.Of(Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 3), Resource.Parameters);
        Assert.That(exact.Grade, Is.EqualTo(ClaimGrade.Suggested));
        Assert.That(exact.Degrees, Is.EqualTo(1));
        Assert.That(exact.Reason, Is.EqualTo("3 points, and 5 are needed; too few points to foretell the largest from the others"));
        Assert.That(exact.Cautions.Single(), Does.StartWith("the points lie on the law to rounding"));
        // With any scatter, one degree of freedom makes the interval wide: t = 12.7.
        Claim near = Inference.Of(Points((1e4, 1.674), (1e6, 1.00), (1e8, 0.35)), Resource.Parameters);
        Assert.That(near.Grade, Is.EqualTo(ClaimGrade.NotDetermined));
    }

    [Test]
    public void A_rising_series_is_said_to_rise()
    {
        Claim claim = Inference.Of(Points((1e4, 1.80), (4e4, 1.81), (1.6e5, 1.825), (6.4e5, 1.83)), Resource.Parameters);
        Assert.That(claim.Grade, Is.EqualTo(ClaimGrade.Suggested));
        Assert.That(claim.Rises, Is.True);
        Assert.That(claim.Words, Does.StartWith("The points suggest that loss rises with N: exponent -0.004"));
        RefusedFor(Inference.Of(Points((1e4, 1.80), (4e4, 1.81), (1.6e5, 1.825), (6.4e5, 1.83)), Resource.Parameters, Floored), "the loss does not fall");
    }

    [Test]
    public void A_floor_that_runs_away_is_refused_without_a_number()
    {
        // All but the smallest lie on the floor: the steeper, the better.
        Claim claim = Inference.Of(Points((1e4, 2.0), (1e5, 1.0), (1e6, 1.0001), (1e7, 0.9999), (1e8, 1.0)), Resource.Parameters, Floored);
        RefusedFor(claim, "the form runs away on these points: beta passes 5");
    }

    [Test]
    public void A_floor_that_is_not_there_is_a_caution_on_the_interval()
    {
        ScalingPoints points = Synthetic.Curve(r => 9 * Math.Pow(r, -0.2) * Math.Exp(-0.001 * Math.Pow(Math.Log(r / 1e6), 2)), 10);
        Claim claim = Inference.Of(points, Resource.Parameters, Floored);
        Assert.That(claim.Estimates.Single(e => e.Name == "E").AtBound, Is.True);
        Assert.That(claim.Cautions, Has.Some.StartsWith("E lies on its bound 0: the intervals hold the truth more often"));
    }

    [Test]
    public void Data_sizes_are_mixed_only_when_asked_to()
    {
        ScalingPoints mixed = new([.. ((double[])[1e4, 1e5, 1e6, 1e7]).SelectMany(n => ((double[])[100, 1000]).Select(d =>
            new ScalingPoint { N = n, D = d, Loss = 3 * Math.Pow(n, -0.05) * Math.Pow(d, -0.2) }))]);
        RefusedFor(Inference.Of(mixed, Resource.Parameters), "2 different values of D are mixed, and were not asked to be pooled");
        Assert.That(Inference.Of(mixed, Resource.Parameters, new ClaimOptions { Pool = true }).Grade, Is.Not.EqualTo(ClaimGrade.Refused));
    }

    [Test]
    public void Points_left_out_are_named_with_the_reason()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 6, noise: 0.01).Exclude(p => p.Name == "p2", "still falling");
        Claim claim = Inference.Of(points, Resource.Parameters);
        Assert.That(claim.LeftOut, Is.EqualTo(new[] { new ClaimOmission("p2", "still falling") }));
        Assert.That(claim.Points.Select(p => p.Name), Is.EqualTo(new[] { "p0", "p1", "p3", "p4", "p5" }));
        Assert.That(claim.Points.Select(p => p.Fitted), Has.None.Null);
    }

    [Test]
    public void A_claim_that_was_written_is_read_back()
    {
        Claim claim = Inference.Of(Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 6, noise: 0.01), Resource.Parameters);
        string json = System.Text.Json.JsonSerializer.Serialize(claim);
        Claim read = System.Text.Json.JsonSerializer.Deserialize<Claim>(json)!;
        Assert.That(System.Text.Json.JsonSerializer.Serialize(read), Is.EqualTo(json));
        Assert.That(read.Exponent, Is.EqualTo(claim.Exponent));
        Assert.That(json, Does.Not.Contain("\"Fit\""));
    }

    [Test]
    public void What_is_no_point_is_a_mistake_and_no_refusal()
    {
        Assert.That(() => Inference.Of(Points((1e4, 3), (1e5, 2), (1e6, 1)), Resource.Data), Throws.TypeOf<InputException>().With.Message.Contains("no data"));
        Assert.That(() => Inference.Of(Points((1e4, 3), (1e5, double.NaN), (1e6, 1)), Resource.Parameters), Throws.TypeOf<InputException>());
    }

    private static void RefusedFor(Claim claim, string reason)
    {
        Assert.That(claim.Grade, Is.EqualTo(ClaimGrade.Refused), claim.Words);
        Assert.That(claim.Reason, Does.StartWith(reason));
        Assert.That(claim.Estimates, Is.Empty);
        Assert.That(claim.Law, Is.Empty);
        Assert.That(claim.Fit, Is.Null);
        Assert.That(claim.Refusal(1e5), Does.StartWith("the law is refused: "));
    }

    private static ScalingPoints Points(params (double N, double Loss)[] points) =>
        new([.. points.Select((p, i) => new ScalingPoint { N = p.N, Loss = p.Loss, Name = $"p{i}" })]);
}

/// <summary>Does the interval that a claim prints hold the truth 95 times of 100, from one degree of freedom up?</summary>
public class ClaimCoverageTests
{
    private const double Noise = 0.02;

    // Five standard deviations of 200 draws at 95 %: 0.95 -+ 0.077; a right interval fails once in two million.
    [TestCase(3), TestCase(4), TestCase(6), TestCase(10), TestCase(30)]
    public void The_printed_interval_of_a_power_law_holds_the_truth_as_often_as_it_says(int points) =>
        Expect.Between(Held("power-law", points, 200, [8, 0.17], out _) / 200.0, 0.873, 1);

    [Category("Slow")]
    [TestCase("power-law", 3), TestCase("power-law", 4), TestCase("power-law", 6), TestCase("power-law", 10), TestCase("power-law", 30)]
    [TestCase("power-law-with-floor", 4), TestCase("power-law-with-floor", 6), TestCase("power-law-with-floor", 10), TestCase("power-law-with-floor", 30)]
    public void Of_a_thousand_sets_93_to_97_of_100_hold_the_truth(string family, int points)
    {
        int held = Held(family, points, 1000, family == "power-law" ? [8, 0.17] : [30, 0.3, 0.4], out (int Sets, int Bound, int BoundHeld) counts);
        TestContext.Out.WriteLine($"{family}, {points} points: {100.0 * held / counts.Sets:0.0} % of {counts.Sets} sets; "
            + $"with a parameter on its bound, and said so, {counts.Bound}, of which held {counts.BoundHeld}");
        int free = counts.Sets - counts.Bound;
        Expect.AtLeast(free, 300);
        Expect.AtLeast(held / (double)counts.Sets, 0.93);
        if (counts.Bound < counts.Sets / 100) Expect.AtMost((held - counts.BoundHeld) / (double)free, 0.97);
    }

    [Category("Slow")]
    [TestCase(6), TestCase(10), TestCase(30)]
    public void With_a_floor_that_is_not_there_more_hold_it_and_the_claim_says_so(int points)
    {
        int held = Held("power-law-with-floor", points, 1000, [8, 0.17], out (int Sets, int Bound, int BoundHeld) counts);
        TestContext.Out.WriteLine($"no floor, fitted with one, {points} points: {100.0 * held / counts.Sets:0.0} % of {counts.Sets} sets; "
            + $"on its bound, and said so, {counts.Bound}, of which held {counts.BoundHeld}");
        Expect.AtLeast(held / (double)counts.Sets, 0.93);
        Expect.AtLeast(counts.BoundHeld / (double)counts.Bound, held / (double)counts.Sets);
    }

    [Test]
    public void Without_a_degree_of_freedom_the_claim_is_refused()
    {
        ScalingPoints three = Synthetic.Curve(r => 30 * Math.Pow(r, -0.3) + 0.4, 3, noise: Noise);
        Assert.That(Inference.Of(three, Resource.Parameters, new ClaimOptions { Family = "power-law-with-floor" }).Grade, Is.EqualTo(ClaimGrade.Refused));
        Assert.That(Inference.Of(Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 2, noise: Noise), Resource.Parameters).Grade, Is.EqualTo(ClaimGrade.Refused));
    }

    private static int Held(string family, int points, int sets, double[] truth, out (int Sets, int Bound, int BoundHeld) counts)
    {
        int held = 0, claimed = 0, bound = 0, boundHeld = 0;
        var options = new ClaimOptions { Family = family };
        Parallel.For(0, sets, set =>
        {
            ScalingPoints drawn = Synthetic.Curve(r => truth[0] * Math.Pow(r, -truth[1]) + (truth.Length > 2 ? truth[2] : 0), points, noise: Noise, seed: (ulong)set + 1000);
            Claim claim = Inference.Of(drawn, Resource.Parameters, options);
            if (claim.Exponent is not { } beta) return;
            bool holds = !(truth[1] < beta.Low) && !(truth[1] > beta.High), atBound = claim.Estimates.Any(e => e.AtBound);
            Interlocked.Increment(ref claimed);
            if (holds) Interlocked.Increment(ref held);
            if (atBound) Interlocked.Increment(ref bound);
            if (atBound && holds) Interlocked.Increment(ref boundHeld);
        });
        counts = (claimed, bound, boundHeld);
        return held;
    }
}
