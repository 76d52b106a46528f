using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Tasks;

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
            throw new InputException("training.device", "cuda, which libtorch does not find here", "cpu", "chemscale doctor says what is missing");
        AttentionPrecisions.RequireOperators(experiment.Training.Attention);
        return IsForceField(experiment)
            ? Create(experiment, OpenFrames(experiment, stop), (e, store) => new ForceFieldTask(e, store))
            : Create(experiment, OpenTokens(experiment, stop), (e, store) => new LanguageModelTask(e, store));
    }

    /// <summary>Optimizer steps of one epoch, without building the model.</summary>
    public static long StepsPerEpoch(Experiment experiment)
    {
        long batches;
        if (IsForceField(experiment))
        {
            using FrameStore store = OpenFrames(experiment);
            batches = ForceFieldTask.CountBatches(experiment, store);
        }
        else
        {
            using TokenStore store = OpenTokens(experiment);
            long documents = experiment.Data.Subset ?? store.Train.Documents;
            batches = (documents + experiment.Training.BatchSize - 1) / experiment.Training.BatchSize;
        }
        return (batches + experiment.Training.Accumulation - 1) / experiment.Training.Accumulation;
    }

    private static bool IsForceField(Experiment experiment) => experiment.Model.Config is ForceFieldConfig;

    private static ITrainingTask Create<TStore>(Experiment experiment, TStore store, Func<Experiment, TStore, ITrainingTask> make)
        where TStore : IDisposable
    {
        try
        {
            return make(experiment, store);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private static TokenStore OpenTokens(Experiment experiment, CancellationToken stop = default)
    {
        if (experiment.Data.Store == DataSpec.Virtual)
            throw new InputException("data.store", DataSpec.Virtual, "the folder of a prepared store", "chemscale prepare --virtual N --out DIR makes one");
        if (!TokenStore.Exists(experiment.Data.Store) && FrameStore.Exists(experiment.Data.Store))
            throw new InputException(experiment.Data.Store, "a frame store", "a token store", "language models train on molecules: prepare --molecules");
        return TokenStore.Open(experiment.Data.Store, stop);
    }

    private static FrameStore OpenFrames(Experiment experiment, CancellationToken stop = default)
    {
        if (experiment.Data.Store == DataSpec.Virtual)
            throw new InputException("data.store", DataSpec.Virtual, "the folder of a frame store", "chemscale prepare --frames FILE --out DIR makes one");
        if (!FrameStore.Exists(experiment.Data.Store) && TokenStore.Exists(experiment.Data.Store))
            throw new InputException(experiment.Data.Store, "a token store", "a frame store", "force fields train on frames: prepare --frames");
        return FrameStore.Open(experiment.Data.Store, stop);
    }
}
