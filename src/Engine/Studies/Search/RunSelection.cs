using System.Collections.Concurrent;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Search;

/// <summary>
/// Probe, select, finish: the steps of a search by training performance estimation, each acting on run directories alone, whatever process
/// or machine trained in them.
/// </summary>
/// <param name="Runs">All of one length, <see cref="SelectionSpec.Epochs"/>.</param>
/// <param name="Spec">How they are probed and selected.</param>
/// <param name="Default">What selection has to beat; null: none is marked.</param>
public sealed record RunSelection(IReadOnlyList<PlannedRun> Runs, SelectionSpec Spec, Configuration? Default = null)
{
    private readonly ConcurrentDictionary<PlannedRun, long> stepsPerEpoch = new();

    /// <summary>All steps in this process.</summary>
    /// <param name="runner">Where and how many at a time.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public SelectionSummary Run(LocalRunner runner, CancellationToken stop = default)
    {
        runner.Run(Runs, run => ProbeStep(run), stop);
        runner.Run(Branches(Runs), null, stop);
        ProbeSelection selection = Spec.Keep == KeepRule.Best ? Select() : UndecidedFinish.Run([.. Runs.Select(Probe)], Spec.Estimator, runner.Parallel,
            next => [.. runner.Run([.. next.Select(i => Runs[i])], null, stop).Select(o => o.Diverged is null ? Curve(o.Run).LastTrainingLoss : double.PositiveInfinity)]);
        runner.Run([.. Finishing(selection)], null, stop);
        return Summarize(selection);
    }

    /// <summary>Where the probe of a run ends, and a branch of it begins that makes the probe's cost whole.</summary>
    public long ProbeStep(PlannedRun run)
    {
        long steps = StepsPerEpoch(run) * Spec.ProbeEpochs;
        return Spec.Estimator.IsAnnealed() ? steps - Cooling(steps) : steps;
    }

    /// <summary>
    /// The branches that probed runs need: from the end of the probe the learning rate goes down a straight line to nothing; none of runs
    /// that diverged, and none where the estimator needs none.
    /// </summary>
    /// <exception cref="InputException">A schedule that does not hold the rate until then.</exception>
    public IReadOnlyList<PlannedRun> Branches(IEnumerable<PlannedRun> runs) =>
        Spec.Estimator.IsAnnealed() ? [.. runs.Where(run => RunFailure.Of(run.Directory) is null || new RunDirectory(BranchOf(run)).IsDone).Select(Branch)] : [];

    /// <exception cref="InputException">A schedule of a run that moves the rate before its probe ends.</exception>
    public void Check()
    {
        Spec.Check();
        if (!Spec.Estimator.IsAnnealed()) return;
        foreach (PlannedRun run in Runs)
        {
            ScheduleSpec schedule = run.Experiment.Training.Schedule;
            if (schedule.Kind == ScheduleKind.Cosine)
                throw new InputException("training.schedule.kind", "cosine, beside `estimator` annealed", "constant, cooldown or plateau: a branch leaves a rate that was held");
        }
    }

    private PlannedRun Branch(PlannedRun run)
    {
        long steps = StepsPerEpoch(run) * Spec.ProbeEpochs;
        TrainingSpec training = run.Experiment.Training;
        Experiment cooled = run.Experiment with
        {
            Training = training with
            {
                Epochs = null,
                Steps = steps,
                Patience = null,
                // The end of the schedule is what smooths.
                EmaDecay = null,
                // A branch ends with an epoch.
                ValidationInterval = Spec.Estimator == ProbeEstimator.AnnealedValidation ? Interval.Epochs(1) : training.ValidationInterval,
                Schedule = new ScheduleSpec { Kind = ScheduleKind.Cooldown, WarmupSteps = training.Schedule.WarmupSteps, Cooldown = Cooling(steps) / (double)steps },
            },
        };
        return new PlannedRun(run.Name + "-cooled", cooled, BranchOf(run)) { Trunk = run.Directory };
    }

    private static string BranchOf(PlannedRun run) => Path.Combine(run.Directory, RunPoints.BranchName);

    /// <summary>The last fifth.</summary>
    private static long Cooling(long steps) => Math.Max(1, (steps + 2) / 5);

    /// <summary>Decides from the probes; nothing that a run logged later is looked at.</summary>
    /// <exception cref="InputException">A run was not probed, or every one diverged.</exception>
    public ProbeSelection Select() => ProbeSelection.KeepBest([.. Runs.Select(Probe)], Spec.Estimator);

    /// <summary>Runs that go on to the end after a selection.</summary>
    public IEnumerable<PlannedRun> Finishing(ProbeSelection selection) =>
        Runs.Where((_, i) => !selection.Verdicts[i].Diverged && (Spec.Validate || selection.Verdicts[i].Kept));

    /// <summary>What came of it, as far as the runs are complete.</summary>
    public SelectionSummary Summarize(ProbeSelection selection)
    {
        HashSet<PlannedRun> complete = [.. Finishing(selection).Where(run => new RunDirectory(run.Directory).IsDone)];
        double[] final = [.. Runs.Select(run => complete.Contains(run) ? Curve(run).LastTrainingLoss : double.NaN)];
        var worth = EstimatorAssessment.Of(Spec.Estimator, [.. Runs.Select(Probe)], final);
        bool validated = Spec.Validate && worth.All.Count >= 3;
        return SelectionCautions.Added(new SelectionSummary
        {
            Configurations = [.. Runs.Select((run, i) => Outcome(run, selection.Verdicts[i], worth, i, final[i]))],
            Estimator = Spec.Estimator.Name(),
            ProbeEpochs = Spec.ProbeEpochs,
            FullEpochs = Spec.Epochs,
            Validated = validated,
            Selected = selection.Best,
            R2 = validated ? worth.All.LeaveOneOutR2 : null,
            Spearman = validated ? worth.All.Spearman : null,
            Kendall = validated ? worth.All.Kendall : null,
            R2NearBest = validated ? worth.NearBest.LeaveOneOutR2 : null,
            SpearmanNearBest = validated ? worth.NearBest.Spearman : null,
            Regret = validated ? final[selection.Best] - final.Where(double.IsFinite).Min() : null,
            ComputeSaved = selection.Saved.Share,
            Finished = worth.All.Count,
            WithinInterval = worth.All.WithinInterval,
            NearBest = validated ? worth.NearBest.Count : null,
            Tied = worth.Tied.Count,
        });
    }

    private ProbeView Probe(PlannedRun run)
    {
        long full = StepsPerEpoch(run) * Spec.Epochs;
        LossCurve probed = Probed(run);
        LossCurve? cooled = Spec.Estimator.IsAnnealed() && !probed.Prefix((int)ProbeStep(run)).Diverged ? Probed(Branch(run)) : null;
        return ProbeView.Of(probed, ProbeStep(run) / (double)full, checked((int)full)).WithBranch(cooled);
    }

    /// <summary>A gradient that is not a number ends a run too, after a loss that was one: the curve then ends in what the loss was about to be.</summary>
    private static LossCurve Probed(PlannedRun run)
    {
        LossCurve curve = Curve(run);
        if (curve.Diverged || new RunDirectory(run.Directory).IsDone || RunFailure.Of(run.Directory) is not { Diverged: true }) return curve;
        long next = curve.Steps.Count > 0 ? curve.Steps[^1].Step + 1 : 0;
        return new LossCurve(curve.Name, [.. curve.Steps, new StepLoss(null, next, double.NaN)], [], curve.Validation, curve.StepsPerEpoch);
    }

    private long StepsPerEpoch(PlannedRun run) => stepsPerEpoch.GetOrAdd(run, r => TrainingTasks.StepsPerEpoch(r.Experiment));

    private ConfigurationOutcome Outcome(PlannedRun run, ProbeVerdict verdict, EstimatorAssessment worth, int i, double final)
    {
        LossCurve curve = Curve(run);
        var configuration = new Configuration(run.Experiment.Training.LearningRate, run.Experiment.Training.BatchSize);
        return new ConfigurationOutcome
        {
            Name = run.Name,
            LearningRate = configuration.LearningRate,
            BatchSize = configuration.BatchSize,
            IsDefault = configuration == Default,
            Fate = verdict.Diverged ? ConfigurationFate.Diverged : verdict.Kept ? ConfigurationFate.Kept : ConfigurationFate.Stopped,
            EpochLosses = [.. curve.Epochs.Select(e => e.Mean)],
            Estimate = verdict.Estimate,
            Predicted = worth.Predicted[i],
            PredictedError = worth.PredictedError[i],
            PredictedLow = worth.PredictedInterval[i]?.Low,
            PredictedHigh = worth.PredictedInterval[i]?.High,
            Final = double.IsFinite(final) ? final : null,
            SecondsPerEpoch = RunSeconds.Of(run.Directory) / Math.Max(1e-9, curve.EpochLength),
        };
    }

    private static LossCurve Curve(PlannedRun run)
    {
        var directory = new RunDirectory(run.Directory);
        directory.RequireSoundMetrics();
        return LossCurve.ReadCsv(directory.MetricsCsvPath, name: run.Name);
    }
}

/// <summary>What goes on after the probes.</summary>
public enum KeepRule
{
    /// <summary>The most promising configuration.</summary>
    Best,

    /// <summary>All that the regression's error does not tell from the best; a few are finished first, to calibrate it.</summary>
    Undecided,
}

/// <summary>How the runs of a search are probed and selected.</summary>
public sealed record SelectionSpec
{
    /// <summary>Of a full run.</summary>
    public int Epochs { get; init; } = 50;

    /// <summary>Of a probe: a fifth of the budget, as in the paper.</summary>
    public int ProbeEpochs { get; init; } = 10;

    /// <summary>Finish every run, to compare predictions with the truth.</summary>
    public bool Validate { get; init; }

    /// <summary>The paper's where it is left out, as in plans of version 0.3; <see cref="UsualEstimator"/> knows what suits the runs.</summary>
    public ProbeEstimator Estimator { get; init; } = ProbeEstimator.Tse;

    public KeepRule Keep { get; init; } = KeepRule.Best;

    /// <exception cref="InputException">A probe is no part of a run.</exception>
    public void Check()
    {
        if (Epochs < 2) throw new InputException("epochs", $"{Epochs}", "2 or more: a probe is a part of a full run");
        if (ProbeEpochs < 1 || ProbeEpochs >= Epochs)
            throw new InputException("probe epochs", $"{ProbeEpochs}", $"1 to {Epochs - 1}, less than the {Epochs} epochs of a full run");
    }
}

/// <summary>Finishes probed configurations until none is left undecided (<see cref="UndecidedRule"/>).</summary>
internal static class UndecidedFinish
{
    /// <param name="probes">Of all configurations.</param>
    /// <param name="estimator">Early figure.</param>
    /// <param name="most">Configurations to finish side by side.</param>
    /// <param name="finish">Brings those of these indices to the end; their final losses, in order, infinite where they diverged.</param>
    /// <returns>The kept are those finished; the best of them by its final loss.</returns>
    /// <exception cref="InputException">Every configuration diverged.</exception>
    public static ProbeSelection Run(IReadOnlyList<ProbeView> probes, ProbeEstimator estimator, int most, Func<IReadOnlyList<int>, IReadOnlyList<double>> finish)
    {
        double[] early = [.. probes.Select(p => estimator.Of(p))], final = [.. probes.Select(_ => double.NaN)];
        while (UndecidedRule.Next(early, final, most: most) is { Count: > 0 } next)
        {
            IReadOnlyList<double> losses = finish(next);
            for (int k = 0; k < next.Count; k++) final[next[k]] = double.IsFinite(losses[k]) ? losses[k] : double.PositiveInfinity;
        }
        int[] kept = [.. Enumerable.Range(0, final.Length).Where(i => !double.IsNaN(final[i])).OrderBy(i => final[i])];
        if (kept.Length == 0 || !double.IsFinite(final[kept[0]]))
            throw new InputException("selection", "every configuration diverged", "at least one finite loss", "try lower learning rates");
        ProbeSelection ranked = ProbeSelection.KeepBest(probes, estimator);
        return ranked with
        {
            Verdicts = [.. ranked.Verdicts.Select((v, i) => v with { Kept = kept.Contains(i) })],
            Best = kept[0],
            Kept = kept,
            Saved = ComputeSaved.Of(probes, kept),
        };
    }
}
