using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Pruning;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Studies.Estimates;

/// <summary>Estimates final losses from the first part of recorded curves, and replays the curves to every pruner.</summary>
public sealed record CurveEstimation
{
    public required IReadOnlyList<RecordedCurve> Curves { get; init; }

    /// <summary>Share of the budget that the estimates look at.</summary>
    public double Probe { get; init; } = 0.2;

    /// <summary>Epochs that they look at instead; null: by <see cref="Probe"/>.</summary>
    public double? ProbeEpochs { get; init; }

    /// <summary>By which the runs are ranked and predicted.</summary>
    public ProbeEstimator Estimator { get; init; } = ProbeEstimator.Tse;

    /// <summary>Of the three TSE columns; the litmatter one looks an epoch beyond the probe, so predictions never use it.</summary>
    public TseConvention Convention { get; init; } = TseConvention.Standard;

    /// <exception cref="InputException">A curve is shorter than the probe, or the probe too short for the estimator.</exception>
    public EstimationReport Run()
    {
        if (Curves.Count == 0) throw new InputException("estimate", "no runs", "at least one");
        if (Probe is not (> 0 and <= 1)) throw new InputException("probe", $"{Probe}", "a share in (0, 1]");
        if (ProbeEpochs is { } epochs && !(epochs > 0)) throw new InputException("probeEpochs", $"{epochs}", "a number above 0");
        ProbeView[] probes = [.. Curves.Select(View)];
        double[] final = [.. Curves.Select(c => c.FinalLoss)];
        var notes = new List<string>();
        int unfinished = Curves.Count(c => !c.Finished && !c.Curve.Diverged), diverged = Curves.Count(c => c.Curve.Diverged);
        if (unfinished > 0) notes.Add($"{unfinished} of {Curves.Count} runs are not finished: predicted, but no part of any quality or replay");
        if (diverged > 0) notes.Add($"{diverged} of {Curves.Count} runs diverged");
        var assessments = new List<EstimatorAssessment>();
        foreach (ProbeEstimator estimator in ProbeEstimators.OfTraining.Append(Estimator).Distinct())
        {
            try
            {
                assessments.Add(EstimatorAssessment.Of(estimator, probes, final));
            }
            catch (InputException refusal) when (estimator != Estimator)
            {
                notes.Add($"{estimator.Name()} at the probe: {refusal.Message}");
            }
        }
        double share = probes.Average(p => p.Fraction);
        var report = new EstimationReport
        {
            Probe = ProbeEpochs is null ? Probe : share,
            Estimator = Estimator.Name(),
            Runs = [],
            Estimators = assessments,
            Replay = Replayed(notes),
            Notes = notes,
        };
        return report with { Runs = [.. Curves.Select((curve, i) => Estimate(curve, probes[i], i, report))] };
    }

    private ProbeView View(RecordedCurve recorded)
    {
        double share = ProbeEpochs is { } epochs
            ? epochs * (recorded.Curve.Steps.Count > 0 ? recorded.Curve.StepsPerEpoch : 1) / recorded.FullLength : Probe;
        if (share > 1) throw new InputException(recorded.Name, $"{recorded.Curve.EpochLength:0.##} epochs", $"at least {ProbeEpochs}, the epochs of the probe");
        return ProbeView.Of(recorded.Curve, share, recorded.FullLength);
    }

    private RunEstimate Estimate(RecordedCurve recorded, ProbeView probe, int i, EstimationReport report)
    {
        LossCurve curve = recorded.Curve;
        TseEstimate? speed = probe.Curve.Diverged ? null : Convention == TseConvention.Standard ? TrainingSpeed.Estimate(probe.Curve)
            : TrainingSpeed.Estimate(curve, Math.Round(probe.Curve.EpochLength, 9), convention: Convention);
        return new RunEstimate
        {
            Name = recorded.Name,
            LearningRate = recorded.Setting?.LearningRate,
            BatchSize = recorded.Setting?.BatchSize,
            Epochs = curve.EpochLength,
            Finished = recorded.Finished,
            Diverged = curve.Diverged,
            Tse = speed?.Tse,
            TseE = speed?.TseE,
            TseEma = speed?.TseEma,
            Last = Early(ProbeEstimator.LastTrainingLoss),
            Lcga = Early(ProbeEstimator.Lcga),
            PowerLaw = Early(ProbeEstimator.PowerLaw),
            Predicted = report.Chosen.Predicted[i],
            PredictedError = report.Chosen.PredictedError[i],
            PredictedLow = report.Chosen.PredictedInterval[i]?.Low,
            PredictedHigh = report.Chosen.PredictedInterval[i]?.High,
            Final = recorded.Finished ? recorded.FinalLoss : null,
            Steps = recorded.FullLength,
            Flop = recorded.Flop,
            Seconds = recorded.Seconds,
            Kilojoules = recorded.Kilojoules,
            EpochLosses = [.. curve.Epochs.Select(e => e.Mean)],
        };

        double? Early(ProbeEstimator estimator) => report.Estimators.FirstOrDefault(e => e.Estimator == estimator.Name())?.Early[i];
    }

    private Replay? Replayed(List<string> notes)
    {
        RecordedCurve[] whole = [.. Curves.Where(c => c.Finished || c.Curve.Diverged)];
        if (whole.Count(c => c.Finished) < 2)
        {
            notes.Add("no replay: fewer than two finished runs");
            return null;
        }
        var pruners = new List<IPruner>();
        foreach (double fraction in ReplaySet.Fractions)
        {
            var able = new List<ProbeEstimator>();
            foreach (ProbeEstimator estimator in ProbeEstimators.OfTraining)
            {
                try
                {
                    foreach (RecordedCurve c in whole) estimator.Of(ProbeView.Of(c.Curve, fraction, c.FullLength));
                    able.Add(estimator);
                }
                catch (InputException refusal)
                {
                    notes.Add(FormattableString.Invariant($"{estimator.Name()} at {100 * fraction:0.#} %: {refusal.Message}"));
                }
            }
            pruners.AddRange(ReplaySet.At(fraction, able));
        }
        return Replay.Run([.. whole.Select(c => c.Curve)], pruners, [.. Costs(whole)]);
    }

    private static IEnumerable<RunCosts> Costs(RecordedCurve[] whole)
    {
        yield return new RunCosts("runs", [.. whole.Select(_ => 1.0)]);
        yield return new RunCosts("steps", [.. whole.Select(c => (double)c.FullLength)]);
        if (whole.All(c => c.Flop is not null)) yield return new RunCosts("FLOP", [.. whole.Select(c => c.Flop!.Value)]);
        if (whole.All(c => c.Seconds is not null)) yield return new RunCosts("s", [.. whole.Select(c => c.Seconds!.Value)]);
        if (whole.All(c => c.Kilojoules is not null)) yield return new RunCosts("kJ", [.. whole.Select(c => c.Kilojoules!.Value)]);
    }
}
