using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options that make an experiment: a YAML file, single settings over it, and where its data come from.</summary>
internal abstract class TrainingVerb : Verb
{
    [OptionGroup("Data")]
    [Option("experiment", HelpText = "Experiment file (YAML); the options below override it.")]
    public string? ExperimentFile { get; set; }

    [Option("data", HelpText = "Folder of a prepared store.")]
    [Key("source.store")]
    public string? Data { get; set; }

    [Option("molecules", HelpText = "Prepare these files instead, into OUT/data.")]
    [Key("source.molecules")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("frames", HelpText = "Prepare these files of frames instead, into OUT/data; for force fields.")]
    [Key("source.frames")]
    public IEnumerable<string> Frames { get; set; } = [];

    [Option("units", HelpText = "Unit of the energies in --frames, where the files do not say: eV, kcal/mol, kJ/mol or Hartree.")]
    [Key("source.units")]
    public string? Units { get; set; }

    [OptionGroup("Model")]
    [Option("model", HelpText = "chemgpt (default), or a force field: schnet, painn, spookynet, allegro.")]
    [Key("model.family")]
    public string? ModelName { get; set; }

    [Option("set", HelpText = "KEY=VALUE... of experiment.yaml, over everything else: model.cutoff=6 training.labelLoss.error=huber.")]
    public IEnumerable<string> Set { get; set; } = [];

    [Option("features", HelpText = "Force fields: features of an atom (default 128).")]
    [Key("model.features")]
    public int? Features { get; set; }

    [Option("interactions", HelpText = "Force fields: interaction layers.")]
    [Key("model.interactions")]
    public int? Interactions { get; set; }

    [Option("cutoff", HelpText = "Force fields: reach, in Angstrom (default 5).")]
    [Key("model.cutoff")]
    public double? Cutoff { get; set; }

    [Option("atom-energies", HelpText = "Force fields: energies of isolated atoms, which need not be learnt: fit (least squares), from-frames (isolated atoms that were prepared), "
        + "a file (symbol and eV a line, .json, or .xyz of single atoms), or H=-13.587,O=-2041.84 (default: from-frames where each element has one, else fit).")]
    [Key("data.atomEnergies")]
    public string? AtomEnergies { get; set; }

    [Option("kind-weights", HelpText = "Force fields: what errors of frames of some kinds (config_type) count, as in scan=5,dimer=0.1 (default: each 1).")]
    [Key("training.labelLoss.kindWeights")]
    public string? KindWeights { get; set; }

    [OptionGroup("Loss of force fields")]
    [Option("energy-weight", HelpText = "Force fields: weight of energies in the loss (default 0.05).")]
    [Key("training.labelLoss.energyWeight")]
    public double? EnergyWeight { get; set; }

    [Option("force-weight", HelpText = "Force fields: weight of forces in the loss (default 0.95).")]
    [Key("training.labelLoss.forceWeight")]
    public double? ForceWeight { get; set; }

    [Option("stress-weight", HelpText = "Force fields: weight of stress in the loss (default 0).")]
    [Key("training.labelLoss.stressWeight")]
    public double? StressWeight { get; set; }

    [OptionGroup("Data")]
    [Option("representation", HelpText = "What is prepared is stored as selfies (default) or smiles.")]
    [Key("source.representation")]
    public Representation? Representation { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar of what is prepared: 1.0.4, 2.1 or 2.2.")]
    [Key("source.grammar")]
    public string? Grammar { get; set; }

    [Option("constraints", HelpText = "JSON file of bonds by element and charge of what is prepared, {\"C\": 4, \"N+1\": 4, \"?\": 8} (default: the tokenizer's, else the grammar's).")]
    [Key("source.constraints")]
    public string? Constraints { get; set; }

    [Option("limit", HelpText = "Train on this many molecules or frames: the first of the store's nested order.")]
    [Key("data.subset")]
    public long? Limit { get; set; }

    [Option("validation", HelpText = "Molecules or frames of the fixed validation set (default 1000; with --limit as many as are trained on, at least 50).")]
    [Key("data.validation")]
    public long? Validation { get; set; }

    [OptionGroup("Model")]
    [Option("size", HelpText = "Width on the paper's ladder: 16, 32, 64, ... 2048 (24 layers, 16 heads).")]
    [Key("model.size")]
    public int? Size { get; set; }

    [Option("layers", HelpText = "Default 24.")]
    [Key("model.layers")]
    public int? Layers { get; set; }

    [Option("width", HelpText = "Default 64.")]
    [Key("model.width")]
    public int? Width { get; set; }

    [Option("heads", HelpText = "Default 16; divides the width.")]
    [Key("model.heads")]
    public int? Heads { get; set; }

    [Option("parametrization", HelpText = "standard (default), or mup: the learning rate that is best at the base width serves other widths.")]
    [Key("model.parametrization")]
    public Parametrization? Parametrization { get; set; }

    [Option("base-width", HelpText = "Width at which mup is standard (default 64).")]
    [Key("model.baseWidth")]
    public int? BaseWidth { get; set; }

    [OptionGroup("Optimization")]
    [Option("lr", HelpText = "Learning rate (default 2e-5; force fields 1e-3).")]
    [Key("training.learningRate")]
    public double? LearningRate { get; set; }

    [Option("batch", HelpText = "Molecules or frames per step (default 8; force fields 10).")]
    [Key("training.batchSize")]
    public int? Batch { get; set; }

    [Option("batch-atoms", HelpText = "Force fields: fill batches up to this many atoms instead.")]
    [Key("training.batchAtoms")]
    public int? BatchAtoms { get; set; }

    [Option("batch-edges", HelpText = "Force fields: fill batches up to this many directed edges.")]
    [Key("training.batchEdges")]
    public int? BatchEdges { get; set; }

    [Option("accumulation", HelpText = "Micro-batches per step.")]
    [Key("training.accumulation")]
    public int? Accumulation { get; set; }

    [Option("schedule", HelpText = "constant, cosine, plateau or cooldown (constant, then down a straight line at the end), after warm-up (default constant; force fields plateau).")]
    [Key("training.schedule.kind")]
    public ScheduleKind? Schedule { get; set; }

    [Option("warmup", HelpText = "Warm-up, in optimizer steps (default 100).")]
    [Key("training.schedule.warmupSteps")]
    public long? Warmup { get; set; }

    [Option("clip", HelpText = "Global gradient norm to clip to.")]
    [Key("training.clipNorm")]
    public double? Clip { get; set; }

    [Option("ema", HelpText = "Decay of a moving average of the weights.")]
    [Key("training.emaDecay")]
    public double? Ema { get; set; }

    [Option("epochs", HelpText = "Passes over the data (default 1 where --steps is not given).")]
    [Key("training.epochs")]
    public int? Epochs { get; set; }

    [Option("steps", HelpText = "Optimizer steps; with --epochs, whichever ends first.")]
    [Key("training.steps")]
    public long? Steps { get; set; }

    [Option("patience", HelpText = "Stop after this many validations without improvement.")]
    [Key("training.patience")]
    public int? Patience { get; set; }

    [OptionGroup("Course of the run")]
    [Option("validate-every", HelpText = "For example '0.25 epochs' or '500 steps'.")]
    [Key("training.validationInterval")]
    public string? ValidateEvery { get; set; }

    [Option("checkpoint-every", HelpText = "For example '10 minutes', '1 epochs', '500 steps' or 'never'.")]
    [Key("training.checkpointInterval")]
    public string? CheckpointEvery { get; set; }

    [OptionGroup("Optimization")]
    [Option("moments", HelpText = "AdamW's moments: weights (the weights' type) or bfloat16.")]
    [Key("training.optimizer.moments")]
    public MomentPrecision? Moments { get; set; }

    [OptionGroup("Model")]
    [Option("attention", HelpText = "chemgpt: what attention multiplies in, weights (the weights' type) or bfloat16 (CUDA; heads 16, 32, 64 or 128 wide).")]
    [Key("training.attention")]
    public AttentionPrecision? Attention { get; set; }

    [OptionGroup("Fine-tuning")]
    [Option("init-from", HelpText = "Begin with the weights of this run, trained or imported: fine-tuning. Its model stands; symbols keep their rows, new ones begin anew.")]
    [Key("training.initFrom")]
    public string? InitFrom { get; set; }

    [Option("freeze", HelpText = "Parameters that are not trained, by name, * for any letters, commas between: wte,wpe,h0.*.")]
    [Key("training.freeze")]
    public string? Freeze { get; set; }

    [OptionGroup("Machine")]
    [Option("dtype", HelpText = "float32 or float64.")]
    [Key("training.dtype")]
    public Precision? Dtype { get; set; }

    [Option("device", HelpText = "cpu or cuda.")]
    [Key("training.device")]
    public ComputeDevice? Device { get; set; }

    [Option("threads", HelpText = "CPU threads (default: as many as are ours: see doctor).")]
    [Key("training.threads")]
    public int? Threads { get; set; }

    [Option("operators", HelpText = "auto, composed, host or kernels.")]
    [Key("training.operators")]
    public OperatorMode? Operators { get; set; }

    [Option("seed", HelpText = "Default 42.")]
    [Key("seed")]
    public long? Seed { get; set; }

    /// <summary>What these options ask for.</summary>
    /// <param name="begun">The experiment of a run to go on with: what the options start from where no file is given.</param>
    protected TrainingRequest Request(Experiment? begun = null) => new()
    {
        Family = ModelName,
        Basis = ExperimentFile is null ? null : Experiment.Read(ExperimentFile),
        Begun = begun,
        Initial = InitFrom is null ? null : InitialWeights.Basis(InitFrom),
        Source = new DataSource
        {
            Store = Data,
            Molecules = [.. Molecules],
            Representation = Representation,
            Grammar = Grammar is null ? null : SelfiesGrammars.Parse(Grammar),
            Constraints = Constraints is null ? null : BondConstraints.Read(Constraints),
            Frames = [.. Frames],
            Units = Units is null ? null : EnergyUnit.Parse(Units, "source.units"),
        },
        Settings = OptionKeys.Settings(this),
        Overrides = [.. Set.Select(text => ExperimentKeys.Parse(text, "set"))],
        OverridesPlace = "set",
    };

    /// <summary>The experiment these options describe; its data are prepared where need be.</summary>
    /// <param name="folder">Where data that must be prepared go, under data.</param>
    /// <param name="stop">Ends a preparation.</param>
    /// <param name="begun">As for <see cref="Request"/>.</param>
    protected Experiment Build(string folder, CancellationToken stop, Experiment? begun = null)
    {
        using var display = new PreparationDisplay();
        return InitialWeights.Resolved(Request(begun).Build(folder, new DataObserver { Molecules = display, Frames = display.Report }, stop));
    }

    /// <summary>Whether any option says what to train, on what, or how; those that concern a session only do not.</summary>
    protected bool IsDescribed => typeof(TrainingVerb).GetProperties().Where(p => p.DeclaringType == typeof(TrainingVerb))
        .Where(p => p.Name is not (nameof(Threads) or nameof(Device) or nameof(Operators) or nameof(CheckpointEvery)))
        .Any(p => p.GetValue(this) is { } value && (value is not IEnumerable<string> list || value is string || list.Any()));
}
