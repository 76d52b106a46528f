using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>How a force field is trained where nobody says otherwise: the published setting of PaiNN on molecular dynamics frames.</summary>
public static class ForceFieldDefaults
{
    /// <summary>Batches of 10, learning rate 1e-3 reduced on plateaus, Adam without decay, loss 0.05 energy + 0.95 force.</summary>
    public static Experiment Experiment(ModelFamily family) => new()
    {
        Model = ModelSpec.Of(Activator.CreateInstance(family.ConfigType)!),
        Training = new TrainingSpec
        {
            Epochs = 1,
            LearningRate = 1e-3,
            BatchSize = 10,
            Optimizer = new OptimizerSpec { WeightDecay = 0 },
            Schedule = new ScheduleSpec { Kind = ScheduleKind.Plateau },
            KeepBest = true,
        },
    };
}
