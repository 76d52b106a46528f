using System.Globalization;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Families;
using ChemScale.Engine.Training.Tasks;
using static TorchSharp.torch;

// The list of families: a line each.
[assembly: ListedFamilies(
    typeof(ChemGptFamily),
    typeof(SchNetFamily),
    typeof(PaiNNFamily),
    typeof(SpookyNetFamily),
    typeof(AllegroFamily))]

namespace ChemScale.Engine.Training.Families;

internal sealed class SchNetFamily() : ForceFieldFamily<SchNetConfig>("schnet");

internal sealed class PaiNNFamily() : ForceFieldFamily<PaiNNConfig>("painn");

internal sealed class SpookyNetFamily() : ForceFieldFamily<SpookyNetConfig>("spookynet");

internal sealed class AllegroFamily() : ForceFieldFamily<AllegroConfig>("allegro");

/// <summary>A force field: trained on frames, to energies and forces; capacity is depth times width.</summary>
internal abstract class ForceFieldFamily<TConfig>(string name) : ModelFamily
    where TConfig : ForceFieldConfig, new()
{
    public override string Name => name;

    public override string Title => new TConfig().Title;

    public override Type ConfigType => typeof(TConfig);

    public override DataKind Data => FrameData.Instance;

    public override string ItemName => "frames";

    /// <summary>
    /// The published setting of PaiNN on molecular dynamics frames: batches of 10, learning rate 1e-3 reduced on plateaus, Adam without
    /// decay, loss 0.05 energy + 0.95 force.
    /// </summary>
    public override Experiment Defaults => new()
    {
        Model = ModelSpec.Of(new TConfig()),
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

    public override (int Smallest, int Largest) SearchedBatches => (1, 16);

    public override string LossUnit(TrainingSpec training) => training.LabelLoss is { Error: ErrorMeasure.Mse, StressWeight: 0 } loss
        ? string.Create(CultureInfo.InvariantCulture, $"{loss.EnergyWeight} eV² + {loss.ForceWeight} (eV/A)²")
        : "weighted errors, eV and A";

    public override void Check(object config, string place) => Of(config).Validate($"{place}: model");

    public override long NonEmbeddingParameters(object config) => Of(config).NonEmbeddingParameters;

    /// <inheritdoc/>
    public override TrainingCost Cost(object config, TrainingSpec training, string store)
    {
        bool forces = training.LabelLoss.ForceWeight > 0 || training.LabelLoss.StressWeight > 0;
        (double atoms, double pairs) = FrameStores.MeanSize(Of(config), store);
        return new TrainingCost((forces ? FlopCount.TrainingOnForces : FlopCount.TrainingOnEnergies) * Of(config).Flops.Of(atoms, pairs), 1);
    }

    public override string? Idle(object config, string key) => key switch
    {
        "data.grammar" => "frames have no grammar",
        "training.attention" => "force fields have no attention",
        "model.cutoffPower" when config is RadialForceFieldConfig { CutoffFunction: CutoffKind.Cosine } => "a cosine cutoff has no power",
        "model.electrostaticCutoff" when config is SpookyNetConfig { Electrostatics: false } => "model.electrostatics is false",
        _ => null,
    };

    /// <summary>For the elements and neighbours of the store.</summary>
    public override object Fitted(object config, string store) => FrameStores.Fitted(Of(config), store);

    public override ITrainingTask CreateTask(Experiment experiment, CancellationToken stop = default)
    {
        FrameStore store = FrameData.Open(experiment, stop);
        try
        {
            return new ForceFieldTask(experiment, store);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public override long CountBatches(Experiment experiment)
    {
        using FrameStore store = FrameData.Open(experiment);
        return ForceFieldTask.CountBatches(experiment, store);
    }

    public override ForceField CreateForceField(object config, long seed, ScalarType dtype) => Of(config).Create(seed, dtype);

    /// <summary>On the program's frames about a minute and a quarter on two cores; on a thousand frames or more about half an hour.</summary>
    public override StudyOutline Study(bool own)
    {
        Experiment defaults = Defaults;
        var quick = new StudyOutline
        {
            Basis = defaults with
            {
                Training = defaults.Training with
                {
                    Schedule = new ScheduleSpec { WarmupSteps = 20 },
                    ClipNorm = 10,
                    // What is validated is then smooth although the rate does not fall.
                    EmaDecay = 0.99,
                    Threads = 1,
                    CheckpointInterval = Interval.Minutes(2),
                    KeepBest = false,
                },
            },
            Start = (defaults.Training.LearningRate, defaults.Training.BatchSize),
            SearchShape = new(2, 32),
            Shapes = [new(1, 16), new(2, 24), new(2, 32), new(3, 48), new(3, 64)],
            Budgets = new([new(1, 16), new(2, 16), new(2, 32), new(2, 48), new(3, 64)], [1e-3, 3e-3, 1e-2]),
            LearningRates = [3e-4, 1e-3, 3e-3],
            BatchSizes = [4, 8, 16],
            Validation = 100,
            SearchDocuments = 200,
            SearchEpochs = 8,
            Subsets = [30, 100, 300],
            MaximumSeen = 2500,
        };
        return !own ? quick : quick with
        {
            Validation = 200,
            SearchEpochs = 20,
            ProbeEpochs = 4,
            Shapes = [new(1, 16), new(2, 32), new(3, 48), new(3, 64), new(3, 128)],
            Subsets = [50, 150, 450, 900],
            MaximumSeen = 10_000,
        };
    }

    public override object Shaped(object config, ModelShape shape) =>
        Of(config).Shaped(shape.Depth ?? throw new InputException($"{Name} shape", $"{shape.Width}", "depth and width"), shape.Width);

    public override string ComputeCaution =>
        "C = 6 N S counts frames seen. Weights are used once for every atom and edge, and again to differentiate forces: the true cost is a "
            + "constant factor more on frames of one kind, which leaves the exponent as it is.";

    private static ForceFieldConfig Of(object config) => (ForceFieldConfig)config;
}
