using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Training;

/// <summary>Where a run leaves another one, whose steps it shares until then: a checkpoint of that one.</summary>
/// <param name="Trunk">The other run.</param>
/// <param name="Checkpoint">Its newest whose steps are all shared.</param>
internal sealed record Branching(RunDirectory Trunk, Checkpoint Checkpoint)
{
    /// <param name="trunk">The other run.</param>
    /// <param name="experiment">Of the branch.</param>
    /// <param name="task">Of the branch.</param>
    /// <param name="warn">Told why the branch has to be trained from the start.</param>
    /// <returns>Null where the trunk has no checkpoint left of the steps shared.</returns>
    /// <exception cref="InputException">The two differ in more than how the learning rate goes on and how long.</exception>
    public static Branching? From(RunDirectory trunk, Experiment experiment, ITrainingTask task, Action<string> warn)
    {
        Experiment other = trunk.ReadExperiment();
        if (Shared(other, experiment).Id != Shared(experiment, experiment).Id)
        {
            throw new InputException(trunk.Path, $"another experiment from the start ({Shared(other, experiment).DifferencesFrom(Shared(experiment, experiment))})",
                "one that differs in its length and how its schedule goes on alone");
        }
        long steps = SharedSteps(other, experiment, new StepLength(task.BatchesPerEpoch, experiment.Training.Accumulation).StepsPerEpoch);
        CheckpointStore checkpoints = trunk.Checkpoints();
        foreach (string path in checkpoints.List())
        {
            try
            {
                Checkpoint checkpoint = CheckpointStore.Open(path);
                // A plateau that has already lowered the rate is no part of the other schedule.
                if (checkpoint.Step <= steps && RateFactor(checkpoint) == 1) return new Branching(trunk, checkpoint);
            }
            catch (SafetensorsException e)
            {
                warn($"{path} is damaged ({e.Detail}); no branch begins there");
            }
        }
        warn($"{trunk.Path} has no checkpoint of the {steps} steps that its branch shares: the branch is trained from the start");
        return null;
    }

    /// <summary>How many steps of two experiments of one seed and data are the same.</summary>
    private static long SharedSteps(Experiment trunk, Experiment branch, long stepsPerEpoch)
    {
        (LearningRateSchedule one, long length) = Schedule(trunk, stepsPerEpoch);
        (LearningRateSchedule two, long other) = Schedule(branch, stepsPerEpoch);
        long step = 0;
        while (step < Math.Min(length, other) && one.At(step) == two.At(step)) step++;
        return step;
    }

    private static (LearningRateSchedule Schedule, long Length) Schedule(Experiment experiment, long stepsPerEpoch)
    {
        TrainingSpec spec = experiment.Training;
        long length = spec.TotalSteps(stepsPerEpoch);
        return (new LearningRateSchedule(spec.Schedule, spec.LearningRate, length), length);
    }

    // What says nothing of the weights of a step that both come to. A branch may do without the average that its trunk keeps.
    private static Experiment Shared(Experiment experiment, Experiment branch) => experiment with
    {
        Training = experiment.Training with
        {
            Steps = 1,
            Epochs = null,
            Patience = null,
            EmaDecay = branch.Training.EmaDecay is null ? null : experiment.Training.EmaDecay,
            ValidationInterval = Interval.Never,
            Schedule = new ScheduleSpec(),
        },
    };

    private static double RateFactor(Checkpoint checkpoint) => (double?)checkpoint.State["counters"]?["plateau"]?["rateFactor"] ?? 1;
}
