using ChemScale.Engine;
using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Pruning;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Estimates;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Estimates;

public class CurveEstimationTests
{
    [Test]
    [Category("Data")]
    public void The_golden_values_come_out_of_a_recorded_log()
    {
        IReadOnlyList<RecordedCurve> curves = CurveSources.Read([ReferenceData.Require("fits/litmatter_metrics.csv")]);
        RunEstimate run = new CurveEstimation { Curves = curves, ProbeEpochs = 10, Convention = TseConvention.Litmatter }.Run().Runs.Single();
        Expect.Close(run.Tse / 129.8276312691825, 1, absolute: 1e-12);
        Expect.Close(run.TseE / 5.670970326378232, 1, absolute: 1e-12);
        Expect.Close(run.TseEma / 134.53728970599116, 1, absolute: 1e-12);
    }

    [Test]
    public void Nothing_after_the_probe_changes_an_estimate_or_the_choice([Values(0.05, 0.2)] double probe)
    {
        EstimationReport one = Report(Curves(0)), other = Report(Curves(100));
        Assert.That(one.Runs.Select(Early), Is.EqualTo(other.Runs.Select(Early)));
        Assert.That(one.Estimators.Select(e => e.Selected), Is.EqualTo(other.Estimators.Select(e => e.Selected)));
        Assert.That(one.Runs.Select(r => r.Final), Is.Not.EqualTo(other.Runs.Select(r => r.Final)));

        EstimationReport Report(LossCurve[] curves) => new CurveEstimation { Curves = Recorded(curves), Probe = probe }.Run();
        static (double?, double?, double?, double?, double?, double?) Early(RunEstimate r) => (r.Tse, r.TseE, r.TseEma, r.Last, r.Lcga, r.PowerLaw);

        // The first fifth is the same; the rest is worse, and the other way round.
        static LossCurve[] Curves(double worse) => [.. Enumerable.Range(0, 6).Select(k => new LossCurve($"run {k}",
            [.. Enumerable.Range(0, 400).Select(i => new StepLoss(i / 10, i, 1 + 0.1 * k + 4 / (3.0 + i) + (i < 80 ? 0 : worse * (6 - k))))]))];
    }

    [Test]
    public void Unfinished_runs_are_predicted_and_left_out_of_what_needs_the_end()
    {
        LossCurve[] curves = Curves(5);
        RecordedCurve[] recorded = [.. Recorded(curves)];
        recorded[4] = new RecordedCurve(curves[4].Prefix(100), 400, false);
        EstimationReport report = new CurveEstimation { Curves = recorded }.Run();
        Assert.That(report.Runs[4].Final, Is.Null);
        Expect.Close(report.Runs[4].Predicted, curves[4].LastTrainingLoss, absolute: 0.05);
        Assert.That(report.Estimators.Select(e => e.All.Count), Has.All.EqualTo(4));
        Assert.That(report.Notes, Has.Some.Contains("1 of 5 runs are not finished"));
        Expect.Close(report.Replay!.Rows[0].Savings.Single(s => s.Unit == "runs").Share, 0.95 * 0.75, absolute: 1e-12);
    }

    [Test]
    public void Savings_are_counted_in_every_unit_that_all_runs_know()
    {
        RecordedCurve[] recorded = [.. Recorded(Curves(4)).Select((r, k) => r with { Flop = 1e9, Seconds = k == 0 ? 10 : 1, Kilojoules = k == 0 ? 2 : 1 })];
        Replay replay = new CurveEstimation { Curves = recorded }.Run().Replay!;
        ReplayRow tpe = replay.Rows.Single(r => r.Pruner == "TPE 20 % tse");
        Assert.That(tpe.Selected, Is.EqualTo("run 0"));
        Assert.That(tpe.Savings.Select(s => s.Unit), Is.EqualTo(new[] { "runs", "steps", "FLOP", "s", "kJ" }));
        Expect.Close(tpe.Savings.Select(s => s.Share), new[] { 0.6, 0.6, 0.6, 0.8 * 3 / 13, 0.8 * 3 / 5 }, absolute: 1e-12);
        recorded[1] = recorded[1] with { Kilojoules = null };
        Assert.That(new CurveEstimation { Curves = recorded }.Run().Replay!.Rows[0].Savings.Select(s => s.Unit), Has.No.Member("kJ"));
    }

    [Test]
    public void A_power_log_named_for_a_run_is_integrated_and_one_of_no_run_is_refused()
    {
        using var folder = new TemporaryFolder();
        string table = Write(folder["curves.csv"], "epoch,a,b\n0,3,2\n1,2,1\n"), log = Write(folder["power.log.csv"], "time,watts\n0,100\n20,100\n");
        IReadOnlyList<RecordedCurve> curves = CurveSources.Read([table], powerLogs: [$"a={log}"]);
        Assert.That(curves.Select(c => c.Kilojoules), Is.EqualTo(new double?[] { 2, null }));
        Assert.That(() => CurveSources.Read([table], powerLogs: [$"c={log}"]), Throws.TypeOf<InputException>().With.Message.Contains("no run \"c\""));
        Assert.That(() => CurveSources.Read([table, table]), Throws.TypeOf<InputException>().With.Message.Contains("two runs named \"a\""));
    }

    [Test]
    public void Runs_of_a_table_that_end_early_are_not_finished()
    {
        using var folder = new TemporaryFolder();
        IReadOnlyList<RecordedCurve> curves = CurveSources.Read([Write(folder["curves.csv"], "epoch,whole,stopped,diverged\n0,3,2,1\n1,2,1.5,nan\n2,1,,\n")]);
        Assert.That(curves.Select(c => c.Finished), Is.EqualTo(new[] { true, false, false }));
        Assert.That(curves.Select(c => c.FullLength), Is.EqualTo(new[] { 3, 3, 3 }));
        Assert.That(curves.Select(c => c.FinalLoss), Is.EqualTo(new[] { 1, double.NaN, double.NaN }));
    }

    [Test]
    public void An_estimator_that_the_probe_is_too_short_for_is_named_and_left_out()
    {
        LossCurve[] curves = [.. Enumerable.Range(0, 3).Select(k => new LossCurve($"run {k}", [],
            [.. Enumerable.Range(0, 10).Select(e => new EpochLoss(e, 1, 1 + k + 1.0 / (e + 1)))]))];
        EstimationReport report = new CurveEstimation { Curves = Recorded(curves) }.Run();
        Assert.That(report.Estimators.Select(e => e.Estimator), Has.No.Member("lcga"));
        Assert.That(report.Notes, Has.Some.StartsWith("lcga at 20 %: "));
        Assert.That(() => new CurveEstimation { Curves = Recorded(curves), Estimator = ProbeEstimator.Lcga }.Run(), Throws.TypeOf<InputException>());
    }

    private static RecordedCurve[] Recorded(LossCurve[] curves) => [.. curves.Select(c => new RecordedCurve(c, c.Length, true))];

    private static LossCurve[] Curves(int count) => [.. Enumerable.Range(0, count).Select(k => new LossCurve($"run {k}",
        [.. Enumerable.Range(0, 400).Select(i => new StepLoss(i / 10, i, 1 + 0.1 * k + 4 / (3.0 + i)))]))];

    private static string Write(string path, string text)
    {
        File.WriteAllText(path, text);
        return path;
    }
}
