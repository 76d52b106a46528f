using ChemScale.Engine;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Extrapolation;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class CurveExtrapolationTests
{
    private static readonly double[] Times = [.. Enumerable.Range(1, 12).Select(k => (double)k)];

    [Test]
    public void Exact_curves_give_back_their_numbers()
    {
        CurveExtrapolation lcga = CurveExtrapolation.Fit(CurveForm.Lcga, Times, [.. Times.Select(k => 1 / (0.02 + 0.15 * k) + 0.8)]);
        Expect.Close(lcga.B1, 0.02, absolute: 1e-8);
        Expect.Close(lcga.B2, 0.15, absolute: 1e-8);
        Expect.Close(lcga.Floor, 0.8, absolute: 1e-8);
        Expect.Close(lcga.Predict(50), 1 / (0.02 + 0.15 * 50) + 0.8, absolute: 1e-8);
        CurveExtrapolation power = CurveExtrapolation.Fit(CurveForm.PowerLaw, Times, [.. Times.Select(k => 3 * Math.Pow(k, -0.4) + 0.5)]);
        Expect.Close(power.Size, 3, absolute: 1e-7);
        Expect.Close(power.Shape, 0.4, absolute: 1e-7);
        Expect.Close(power.Floor, 0.5, absolute: 1e-7);
    }

    [Test]
    public void Gradients_and_Hessians_match_finite_differences([Values] CurveForm form, [Values] bool floored)
    {
        double[] losses = [.. Times.Select(k => 2 / k + 0.1 * Math.Sin(k))], x = floored ? [1.3, -0.4, 0.2] : [1.3, -0.4];
        var objective = new CurveObjective(form, Times, losses, floored);
        int n = x.Length;
        double[] g = new double[n], h = new double[n * n], up = new double[n], down = new double[n], scrap = new double[n * n];
        objective.Evaluate(x, g, h);
        for (int k = 0; k < n; k++)
        {
            double[] above = [.. x], below = [.. x];
            above[k] += 1e-5;
            below[k] -= 1e-5;
            Expect.Close(g[k], (objective.Evaluate(above, up, scrap) - objective.Evaluate(below, down, scrap)) / 2e-5, absolute: 1e-8);
            for (int j = 0; j < n; j++) Expect.Close(h[k * n + j], (up[j] - down[j]) / 2e-5, absolute: 1e-7);
        }
    }

    [Test]
    public void A_floor_is_never_negative()
    {
        CurveExtrapolation fit = CurveExtrapolation.Fit(CurveForm.PowerLaw, Times, [.. Times.Select(k => 3 * Math.Pow(k, -0.2) - 0.7)]);
        Assert.That(fit.Floor, Is.Zero);
        Expect.Above(fit.Predict(1e6), 0);
    }

    [Test]
    public void No_other_curve_of_the_form_is_closer([Values] CurveForm form)
    {
        double[] losses = [.. Times.Select((k, i) => 4 / (k + 1) + 0.6 + 0.05 * Math.Cos(3 * i))];
        double best = CurveExtrapolation.Fit(form, Times, losses).ResidualRms;
        // Every shape on a fine grid, its size and floor by linear regression.
        for (double shape = -6; shape < 4; shape += 0.01)
        {
            double[] phi = [.. Times.Select(t => CurveObjective.Phi(form, t, shape).Value)];
            LinearRegression line = LinearRegression.Fit(phi, losses)!;
            if (line.Intercept < 0) continue;
            double rms = Math.Sqrt(phi.Select((p, i) => Math.Pow(line.Predict(p) - losses[i], 2)).Average());
            Expect.AtLeast(rms, best - 1e-12);
        }
    }

    [Test]
    [Category("Data")]
    public void On_a_real_run_the_residuals_are_orthogonal_to_the_form([Values] CurveForm form, [Values(10, 20, 30)] int epochs)
    {
        LossCurve run = LossCurve.ReadCsv(ReferenceData.Require("fits/litmatter_metrics.csv"));
        var probe = ProbeView.Of(run, epochs / 30.0);
        CurveExtrapolation fit = CurveExtrapolation.Fit(form, probe);
        double predicted = CurveExtrapolation.FinalLoss(form, probe);
        TestContext.Out.WriteLine($"{form}, {epochs} epochs: {predicted:0.000}, last seen {probe.Curve.LastTrainingLoss:0.000}, "
            + $"final {run.LastTrainingLoss:0.000}");
        double[] times = [.. Enumerable.Range(1, epochs).Select(k => (double)k)];
        double[] residuals = [.. probe.Curve.Epochs.Select((e, i) => fit.Predict(times[i]) - e.Mean)];
        double unit = run.Epochs[0].Mean;
        if (fit.Floor > 0) Expect.Close(residuals.Sum() / unit, 0, absolute: 1e-10);
        double shape = Math.Log(fit.Shape);
        Expect.Close(residuals.Zip(times, (r, t) => r * CurveObjective.Phi(form, t, shape).Value).Sum() / unit, 0, absolute: 1e-10);
        Expect.Close(residuals.Zip(times, (r, t) => r * CurveObjective.Phi(form, t, shape).First).Sum() / unit, 0, absolute: 1e-10);
    }

    [Test]
    public void A_probe_of_less_than_five_epochs_is_read_by_blocks_of_steps()
    {
        var run = new LossCurve("run",
            [.. Enumerable.Range(0, 1000).Select(i => new StepLoss(i / 500, i, 1 / (0.1 + 0.002 * (i + 1)) + 0.5))]);
        Expect.Close(CurveExtrapolation.FinalLoss(CurveForm.Lcga, ProbeView.Of(run, 0.4)), run.Steps[^1].Loss, absolute: 0.05);
        var tiny = new LossCurve("tiny", [.. Enumerable.Range(0, 3).Select(i => new StepLoss(0, i, 1))]);
        Assert.That(() => CurveExtrapolation.FinalLoss(CurveForm.Lcga, ProbeView.Of(tiny, 1)), Throws.TypeOf<InputException>());
    }
}
