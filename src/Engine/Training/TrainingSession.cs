using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Engine.Training.Runs;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Engine.Training;

/// <summary>
/// The loop: step, log, validate, end of epoch, checkpoint, stop; always in this order, so that a resumed run repeats nothing.
/// </summary>
internal sealed class TrainingSession : IDisposable
{
    private readonly TrainingSpec spec;
    private readonly RunScope scope;
    private readonly ITrainingTask task;
    private readonly RunDirectory directory;
    private readonly RunClaim claim;
    private readonly CheckpointStore checkpoints;
    private readonly TrainerOptions options;
    private readonly StepLength length;
    private readonly long totalSteps, firstStep, scheduledFrom;
    private readonly Experiment experiment;
    private readonly LearningRateSchedule schedule;
    private readonly AdamW optimizer;
    private readonly WeightAverage? average;
    private readonly GradientStep gradientStep;
    private readonly long startedAt;
    private readonly TrainingState state;
    private MetricsLog? metrics;
    private double secondsBefore;
    private long checkpointedAt;
    private string? lastCheckpoint;
    private long lastCheckpointStep = -1;
    private string? bestCheckpoint;

    public TrainingSession(
        Experiment experiment,
        ITrainingTask task,
        RunDirectory directory,
        RunClaim claim,
        CheckpointStore checkpoints,
        RunScope scope,
        TrainerOptions options)
    {
        spec = experiment.Training;
        this.experiment = experiment;
        this.scope = scope;
        this.task = task;
        this.directory = directory;
        this.claim = claim;
        this.checkpoints = checkpoints;
        this.options = options;
        startedAt = checkpointedAt = directory.Time.GetTimestamp();
        if (task.BatchesPerEpoch < 1) throw new InvalidOperationException("a task without batches");
        length = new StepLength(task.BatchesPerEpoch, spec.Accumulation);
        firstStep = Continuation.FirstStep(spec);
        totalSteps = spec.TotalSteps(length.StepsPerEpoch);
        scheduledFrom = spec.Schedule.Restart ? firstStep : 0;
        schedule = new LearningRateSchedule(spec.Schedule, spec.LearningRate, totalSteps - scheduledFrom);
        (string Name, Parameter Parameter)[] trained = [.. task.Model.named_parameters().Where(p => p.parameter.requires_grad)];
        RequireDtype(trained);
        optimizer = new AdamW(trained, spec.Optimizer, task.LearningRateFactor);
        average = spec.EmaDecay is { } decay ? new WeightAverage(trained, decay) : null;
        gradientStep = new GradientStep(task, optimizer, spec);
        state = new TrainingState(experiment, task, optimizer, average, scope);
    }

    private TrainingCounters Counters => state.Counters;

    private long Epoch => (Counters.Step - 1) / length.StepsPerEpoch;

    /// <summary>From the beginning, from a checkpoint, or from another run's.</summary>
    public void Start(Checkpoint? checkpoint, Branching? branching = null)
    {
        MetricsPosition? position = null;
        if (branching is not null)
        {
            position = state.Load(branching.Checkpoint, options.Warn, branching.Trunk.ReadExperiment().Id);
            // What was validated there may have been averages that this run does not keep.
            bool validated = branching.Trunk.ReadExperiment().Training.EmaDecay == spec.EmaDecay;
            if (!validated) Counters.ForgetValidations();
            position = MetricsLog.Inherit(branching.Trunk, directory, claim, position, validated);
            secondsBefore = Counters.Seconds;
        }
        else if (checkpoint is not null)
        {
            position = state.Load(checkpoint, options.Warn);
            secondsBefore = Counters.Seconds;
            lastCheckpoint = checkpoint.Name;
            lastCheckpointStep = checkpoint.Step;
        }
        else if (spec.Parent is not null)
        {
            state.Load(Continuation.Begin(spec, options.Warn), options.Warn, spec.Parent[..spec.Parent.IndexOf('@')]);
            if (totalSteps <= firstStep) throw new InputException(
                spec.Steps is null ? "training.epochs" : "training.steps", $"{totalSteps} steps in all", $"more than the {firstStep} that {spec.Parent} has done");
            if (spec.Schedule.Restart) Counters.Plateau = new Plateau();
            secondsBefore = Counters.Seconds;
        }
        else if (spec.InitFrom is not null)
        {
            InitialWeights.Load(task, experiment, options.Warn);
        }
        metrics = new MetricsLog(directory, claim, position);
    }

    public TrainingResult Run()
    {
        task.Model.train();
        while (true)
        {
            if (Ending() is { } reason) return Finish(reason);
            Step();
            if (spec.ValidationInterval.DueAfter(Counters.Step, length.StepsPerEpoch)) Validate();
            if (Counters.Step % length.StepsPerEpoch == 0) EndEpoch();
            if (CheckpointDue()) SaveCheckpoint();
        }
    }

    /// <summary>The checkpoints that a complete run is to hold are there and sound. The metrics were looked at when they were last written.</summary>
    /// <exception cref="RunFilesLostException">One is not.</exception>
    public void EnsureWhole(TrainingResult result)
    {
        foreach (string? name in (string?[])[result.Checkpoint, bestCheckpoint])
        {
            if (name is null) continue;
            string path = Path.Combine(directory.CheckpointsPath, name);
            try
            {
                CheckpointStore.Open(path);
            }
            catch (SafetensorsException e)
            {
                throw new RunFilesLostException(path, $"was changed or deleted while the run was at work: {e.Detail}");
            }
        }
    }

    public void Dispose()
    {
        metrics?.Dispose();
        average?.Dispose();
        optimizer.Dispose();
    }

    private StopReason? Ending()
    {
        if (Counters.Step >= totalSteps) return StopReason.Completed;
        if (spec.Patience is { } patience && Counters.Stale >= patience) return StopReason.Patience;
        if (options.StopAtStep is { } stop && Counters.Step >= stop) return StopReason.StopStep;
        return options.CancellationToken.IsCancellationRequested ? StopReason.Cancelled : null;
    }

    private void Step()
    {
        long step = Counters.Step;
        double learningRate = schedule.At(step - scheduledFrom) * Counters.Plateau.RateFactor;
        scope.BeginStep(step);
        long before = directory.Time.GetTimestamp();
        GradientStep.Outcome outcome = gradientStep.Take(length.BatchesOf(step), learningRate);
        double stepSeconds = directory.Time.GetElapsedTime(before).TotalSeconds;
        Counters.Step++;
        Counters.ItemsSeen += outcome.Items;
        Counters.EpochWeight += outcome.Weight;
        Counters.EpochLossSum += outcome.Loss * outcome.Weight;
        double rate = outcome.Items / Math.Max(stepSeconds, 1e-9);
        metrics!.Step(Epoch, step, outcome.Loss,
        [
            new("learning_rate", learningRate),
            new("gradient_norm", outcome.GradientNorm),
            new(task.ItemName, outcome.Items),
            new($"{task.ItemName}_seen", Counters.ItemsSeen),
            new($"{task.ItemName}_per_second", rate),
            new("seconds", Elapsed()),
            .. outcome.Scalars,
        ]);
        if (!outcome.IsFinite)
            Diverge(step, double.IsFinite(outcome.Loss) ? $"gradient norm {outcome.GradientNorm}" : $"training loss {outcome.Loss}");
        average?.Update(Counters.Step);
        options.Progress?.Report(new StepReport(Counters.Step, totalSteps, Epoch, outcome.Loss, Counters.ValidationLoss, learningRate,
            outcome.GradientNorm, outcome.Items, Counters.ItemsSeen, rate, task.ItemName, Elapsed()));
    }

    private void Validate()
    {
        using DisposeScope made = NewDisposeScope();
        task.Model.eval();
        average?.Swap();
        IReadOnlyDictionary<string, double> scalars;
        try
        {
            scalars = task.Validate();
        }
        finally
        {
            average?.Swap();
            task.Model.train();
        }
        double loss = scalars["val_loss"];
        metrics!.Validation(Epoch, Counters.Step - 1, scalars);
        if (!double.IsFinite(loss)) Diverge(Counters.Step, $"validation loss {loss}");
        if (Counters.AddValidation(loss) && spec.KeepBest) SaveBest(loss);
        if (spec.Schedule.Kind == ScheduleKind.Plateau) Counters.Plateau.Add(loss, spec.Schedule);
    }

    private void SaveBest(double loss)
    {
        average?.Swap();
        try
        {
            bestCheckpoint = checkpoints.SaveBest(Counters.Step, task.Model.state_dict(), new JsonObject { ["validationLoss"] = loss }, claim.EnsureHeld);
        }
        finally
        {
            average?.Swap();
        }
    }

    private void EndEpoch()
    {
        metrics!.Epoch(Epoch, Counters.Step - 1, Counters.EpochLossSum / Counters.EpochWeight);
        Counters.EpochLossSum = 0;
        Counters.EpochWeight = 0;
    }

    private bool CheckpointDue() => spec.CheckpointInterval.Unit == IntervalUnit.Minutes
        ? directory.Time.GetElapsedTime(checkpointedAt).TotalMinutes >= spec.CheckpointInterval.Count
        : spec.CheckpointInterval.DueAfter(Counters.Step, length.StepsPerEpoch);

    private void SaveCheckpoint()
    {
        if (lastCheckpointStep == Counters.Step) return;
        Counters.Seconds = Elapsed();
        lastCheckpoint = state.Save(checkpoints, metrics!.Sync(), claim.EnsureHeld);
        lastCheckpointStep = Counters.Step;
        checkpointedAt = directory.Time.GetTimestamp();
    }

    private TrainingResult Finish(StopReason reason)
    {
        bool complete = reason is StopReason.Completed or StopReason.Patience;
        if (complete && Counters.Step > 0 && Counters.ValidatedStep != Counters.Step) Validate();
        if (!complete || spec.CheckpointInterval.Unit != IntervalUnit.Never) SaveCheckpoint();
        metrics!.Sync();
        return new TrainingResult(reason, Counters.Step, Counters.ItemsSeen, Elapsed(), Counters.ValidationLoss,
            Counters.BestValidationLoss, Counters.BestStep, lastCheckpoint);
    }

    private double Elapsed() => secondsBefore + directory.Time.GetElapsedTime(startedAt).TotalSeconds;

    private void Diverge(long step, string what)
    {
        metrics!.Flush();
        string? path = lastCheckpoint is null ? null : Path.Combine(directory.CheckpointsPath, lastCheckpoint);
        throw new TrainingDivergedException(step, what, path);
    }

    private void RequireDtype((string Name, Parameter Parameter)[] trained)
    {
        ScalarType wanted = spec.Dtype == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        foreach ((string name, Parameter parameter) in trained)
            if (parameter.dtype != wanted)
                throw new InvalidOperationException($"{name} is {parameter.dtype}, the experiment wants {wanted}");
    }
}
