using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Force fields out of run directories.</summary>
public static class TrainedForceField
{
    /// <summary>
    /// The model of a run with the weights of its least validation loss where the run keeps them, else of its newest checkpoint; averaged
    /// ones where the run averages. Dispose of it.
    /// </summary>
    /// <param name="run">Run directory of a force field.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and another is used.</param>
    /// <param name="precision">Null: that of the training.</param>
    /// <exception cref="InputException">No run, no checkpoint, or a run of another kind of model.</exception>
    public static ForceField Open(string run, Action<string> warn, Precision? precision = null)
    {
        var directory = new RunDirectory(run);
        if (!directory.IsStarted) throw new InputException(run, "no experiment.yaml", "the run directory of a training", "chemscale train --out DIR makes one");
        Experiment experiment = directory.ReadExperiment();
        if (experiment.Model.Config is not ForceFieldConfig config) throw new InputException(run, experiment.Model.Family.Name, "the run of a force field");
        CheckpointStore checkpoints = directory.Checkpoints();
        Checkpoint checkpoint = checkpoints.OpenBest(warn) ?? checkpoints.OpenNewest(warn) ?? throw new InputException(run, "no checkpoint", "a run that has written one");
        ForceField model = config.Create(experiment.Seed, TypeOf(experiment.Training.Dtype));
        try
        {
            checkpoint.LoadWeights(model);
        }
        catch (SafetensorsException e)
        {
            model.Dispose();
            throw e.AsInput("this checkpoint is of another model");
        }
        if (precision is { } wanted && wanted != experiment.Training.Dtype)
        {
            using ForceField trained = model;
            model = Converted(trained, config, wanted);
        }
        model.eval();
        return model;
    }

    private static ForceField Converted(ForceField trained, ForceFieldConfig config, Precision precision)
    {
        ForceField model = config.Create(0, TypeOf(precision));
        using IDisposable gradients = no_grad();
        Dictionary<string, Tensor> source = trained.state_dict();
        foreach ((string name, Tensor target) in model.state_dict()) target.copy_(source[name]);
        return model;
    }

    private static ScalarType TypeOf(Precision precision) => precision == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32;
}
