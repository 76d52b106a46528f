using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Search;

/// <summary>
/// Hyperparameter selection by training performance estimation (Frey et al. 2023; not the Tree-structured Parzen Estimator): every
/// configuration is probed for a part of its epochs, ranked by its training speed estimate, and only the best goes on.
/// </summary>
public sealed record TrainingPerformanceSearch
{
    public required SearchSpace Space { get; init; }

    /// <summary>Everything but learning rate, batch size and epochs.</summary>
    public required Experiment Base { get; init; }

    /// <summary>Epochs of a full run.</summary>
    public int Epochs { get; init; } = 50;

    /// <summary>Epochs of a probe: a fifth of the budget, as in the paper.</summary>
    public int ProbeEpochs { get; init; } = 10;

    /// <summary>Finish every configuration, to compare predictions with the truth. Costs what selection was to save.</summary>
    public bool Validate { get; init; }

    public ProbeEstimator Estimator { get; init; } = ProbeEstimator.Tse;

    public KeepRule Keep { get; init; } = KeepRule.Best;

    /// <param name="directory">Each configuration runs in a folder of its own below; runs already there are taken up.</param>
    /// <param name="runner">Where and how many at a time.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public SelectionSummary Run(string directory, LocalRunner runner, CancellationToken stop = default)
    {
        if (ProbeEpochs < 1 || ProbeEpochs >= Epochs)
            throw new InputException("probe epochs", $"{ProbeEpochs}", $"1 to {Epochs - 1}, less than the {Epochs} epochs of a full run");
        PlannedRun[] runs = [.. Space.Configurations.Select(c => new PlannedRun(c.Name, Experiment(c), Path.Combine(directory, c.Name)))];
        long[] stepsPerEpoch = new long[runs.Length];
        long[] fullSteps = new long[runs.Length];
        for (int i = 0; i < runs.Length; i++)
        {
            stepsPerEpoch[i] = TrainingTasks.StepsPerEpoch(runs[i].Experiment);
            fullSteps[i] = stepsPerEpoch[i] * Epochs;
        }

        IReadOnlyList<RunOutcome> probed = runner.Run(runs, run => stepsPerEpoch[Array.IndexOf(runs, run)] * ProbeEpochs, stop);
        ProbeView[] probes = [.. runs.Select((run, i) =>
            ProbeView.Of(Curve(run), ProbeEpochs / (double)Epochs, checked((int)fullSteps[i])))];
        ProbeSelection selection = Keep == KeepRule.Best ? ProbeSelection.KeepBest(probes, Estimator)
            : UndecidedFinish.Run(probes, Estimator, runner.Parallel, next => [.. runner.Run([.. next.Select(i => runs[i])], null, stop)
                .Select(o => o.Diverged is null ? Curve(o.Run).LastTrainingLoss : double.PositiveInfinity)]);

        PlannedRun[] finished = [.. runs.Where((_, i) => probed[i].Diverged is null && (Validate || selection.Kept.Contains(i)))];
        IReadOnlyList<RunOutcome> ended = runner.Run(finished, null, stop);
        HashSet<PlannedRun> complete = [.. ended.Where(o => o.Diverged is null).Select(o => o.Run)];
        return Summarize(runs, selection, complete);
    }

    private Experiment Experiment(Configuration configuration) => Base with
    {
        Training = Base.Training with
        {
            LearningRate = configuration.LearningRate,
            BatchSize = configuration.BatchSize,
            Epochs = Epochs,
            Steps = null,
            Patience = null,
        },
    };

    private SelectionSummary Summarize(PlannedRun[] runs, ProbeSelection selection, HashSet<PlannedRun> complete)
    {
        double[] early = [.. selection.Verdicts.Select(v => v.Estimate ?? double.NaN)];
        double[] final = [.. runs.Select(run => complete.Contains(run) ? Curve(run).LastTrainingLoss : double.NaN)];
        (double[] predicted, double?[] errors) = Predictions(early, final);
        // Leaving one out turns the order of a weak line round: ranks are those of the estimates themselves.
        RankQuality all = RankQuality.Of(predicted, final), near = RankQuality.Of(predicted, final, 0.2);
        RankQuality ranks = RankQuality.Of(early, final), ranksNear = RankQuality.Of(early, final, 0.2);
        bool validated = Validate && final.Count(double.IsFinite) >= 3;
        double best = final.Where(double.IsFinite).DefaultIfEmpty(double.NaN).Min();
        return new SelectionSummary
        {
            Configurations = [.. runs.Select((run, i) => Outcome(run, i, selection.Verdicts[i], predicted[i], errors[i], final[i]))],
            Estimator = Estimator.Name(),
            ProbeEpochs = ProbeEpochs,
            FullEpochs = Epochs,
            Validated = validated,
            Selected = selection.Best,
            R2 = validated ? all.R2 : null,
            Spearman = validated ? ranks.Spearman : null,
            Kendall = validated ? ranks.Kendall : null,
            R2NearBest = validated ? near.R2 : null,
            SpearmanNearBest = validated ? ranksNear.Spearman : null,
            Regret = validated ? final[selection.Best] - best : null,
            ComputeSaved = selection.Saved.Share,
        };
    }

    private ConfigurationOutcome Outcome(PlannedRun run, int i, ProbeVerdict verdict, double predicted, double? error, double final)
    {
        LossCurve curve = Curve(run);
        Configuration configuration = Space.Configurations[i];
        return new ConfigurationOutcome
        {
            Name = run.Name,
            LearningRate = configuration.LearningRate,
            BatchSize = configuration.BatchSize,
            IsDefault = configuration == Space.Default,
            Fate = verdict.Diverged ? ConfigurationFate.Diverged : verdict.Kept ? ConfigurationFate.Kept : ConfigurationFate.Stopped,
            EpochLosses = [.. curve.Epochs.Select(e => e.Mean)],
            Estimate = verdict.Estimate,
            Predicted = double.IsFinite(predicted) ? predicted : null,
            PredictedError = error,
            Final = double.IsFinite(final) ? final : null,
            SecondsPerEpoch = RunSeconds.Of(run.Directory) / Math.Max(1e-9, curve.EpochLength),
        };
    }

    /// <summary>
    /// Each finished configuration predicted from the others (leave-one-out), the rest from all. Without three finished ones there is no
    /// line, and so no prediction.
    /// </summary>
    private static (double[] Predicted, double?[] Errors) Predictions(double[] early, double[] final)
    {
        double[] predicted = [.. early.Select(_ => double.NaN)];
        var errors = new double?[early.Length];
        int[] usable = [.. Enumerable.Range(0, early.Length).Where(i => double.IsFinite(early[i]) && double.IsFinite(final[i]))];
        if (usable.Length < 3 || usable.Select(i => early[i]).Distinct().Count() < 2) return (predicted, errors);
        FinalLossRegression regression = FinalLossRegression.Fit(early, final);
        for (int i = 0; i < early.Length; i++)
        {
            if (!double.IsFinite(early[i])) continue;
            int at = Array.IndexOf(usable, i);
            predicted[i] = at >= 0 && regression.LeaveOneOutErrors[at] is { } error ? final[i] - error : regression.Predict(early[i]);
            errors[i] = regression.Line.PredictionError(early[i]);
        }
        return (predicted, errors);
    }

    private static LossCurve Curve(PlannedRun run) => LossCurve.ReadCsv(new RunDirectory(run.Directory).MetricsCsvPath, name: run.Name);
}
