using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Model and data of an experiment, ready to train.</summary>
public static class TrainingTasks
{
    /// <param name="experiment">What to train.</param>
    /// <param name="stop">Ends the reading of data that were not found sound before.</param>
    /// <exception cref="InputException">The data are missing, damaged, or do not fit the model.</exception>
    public static ITrainingTask Create(Experiment experiment, CancellationToken stop = default)
    {
        if (experiment.Training.Device == ComputeDevice.Cuda && !TorchSharp.torch.cuda.is_available())
            throw new InputException("training.device", "cuda, which libtorch does not find here", "cpu", Remedy.ExamineMachine);
        return experiment.Model.Family.CreateTask(experiment, stop);
    }

    /// <summary>Optimizer steps of one epoch, where the family can say so without building the model.</summary>
    public static long StepsPerEpoch(Experiment experiment)
    {
        long batches = experiment.Model.Family.CountBatches(experiment);
        return (batches + experiment.Training.Accumulation - 1) / experiment.Training.Accumulation;
    }
}
