using ChemScale.Engine.Models;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Tasks;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Model and data of an experiment, ready to train.</summary>
public static class TrainingTasks
{
    /// <exception cref="InputException">The data are missing, damaged, or do not fit the model.</exception>
    public static ITrainingTask Create(Experiment experiment)
    {
        if (experiment.Model.Config is not ChemGptConfig)
            throw new InputException("model.family", experiment.Model.Family.Name, "chemgpt");
        if (experiment.Training.Device == ComputeDevice.Cuda && !TorchSharp.torch.cuda.is_available())
            throw new InputException("training.device", "cuda, which libtorch does not find here", "cpu", "chemscale doctor says what is missing");
        if (experiment.Data.Store == DataSpec.Virtual)
            throw new InputException("data.store", DataSpec.Virtual, "the folder of a prepared store", "chemscale prepare --virtual N --out DIR makes one");
        TokenStore store = TokenStore.Open(experiment.Data.Store);
        try
        {
            return new LanguageModelTask(experiment, store);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Optimizer steps of one epoch, without building the model.</summary>
    public static long StepsPerEpoch(Experiment experiment)
    {
        using TokenStore store = TokenStore.Open(experiment.Data.Store);
        long documents = experiment.Data.Subset ?? store.Train.Documents;
        long batches = (documents + experiment.Training.BatchSize - 1) / experiment.Training.BatchSize;
        return (batches + experiment.Training.Accumulation - 1) / experiment.Training.Accumulation;
    }
}
