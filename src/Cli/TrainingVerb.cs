using ChemScale.Engine.Models;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options that make an experiment: a YAML file, single settings over it, and where its data come from.</summary>
internal abstract partial class TrainingVerb : Verb
{
    [Option("experiment", HelpText = "Experiment file (YAML); the options below override it.")]
    public string? ExperimentFile { get; set; }

    [Option("data", HelpText = "Folder of a prepared store.")]
    public string? Data { get; set; }

    [Option("molecules", HelpText = "Prepare these files instead, into OUT/data.")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("frames", HelpText = "Prepare these files of frames instead, into OUT/data; for force fields.")]
    public IEnumerable<string> Frames { get; set; } = [];

    [Option("units", HelpText = "Unit of the energies in --frames, where the files do not say: eV, kcal/mol, kJ/mol or Hartree.")]
    public string? Units { get; set; }

    [Option("model", HelpText = "chemgpt (default), or a force field: schnet, painn, spookynet, allegro.")]
    public string? ModelName { get; set; }

    [Option("set", HelpText = "KEY=VALUE... of experiment.yaml, over everything else: model.cutoff=6 training.labelLoss.error=huber.")]
    public IEnumerable<string> Set { get; set; } = [];

    [Option("features", HelpText = "Force fields: features of an atom (default 128).")]
    public int? Features { get; set; }

    [Option("interactions", HelpText = "Force fields: interaction layers.")]
    public int? Interactions { get; set; }

    [Option("cutoff", HelpText = "Force fields: reach, in Angstrom (default 5).")]
    public double? Cutoff { get; set; }

    [Option("energy-weight", HelpText = "Force fields: weight of energies in the loss (default 0.05).")]
    public double? EnergyWeight { get; set; }

    [Option("force-weight", HelpText = "Force fields: weight of forces in the loss (default 0.95).")]
    public double? ForceWeight { get; set; }

    [Option("stress-weight", HelpText = "Force fields: weight of stress in the loss (default 0).")]
    public double? StressWeight { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar of what is prepared: 1.0.4 or 2.1.")]
    public string? Grammar { get; set; }

    [Option("limit", HelpText = "Train on this many molecules or frames: the first of the store's nested order.")]
    public long? Limit { get; set; }

    [Option("validation", HelpText = "Molecules or frames of the fixed validation set (default 1000; with --limit as many as are trained on, at least 50).")]
    public long? Validation { get; set; }

    [Option("size", HelpText = "Width on the paper's ladder: 16, 32, 64, ... 2048 (24 layers, 16 heads).")]
    public int? Size { get; set; }

    [Option("layers", HelpText = "Default 24.")]
    public int? Layers { get; set; }

    [Option("width", HelpText = "Default 64.")]
    public int? Width { get; set; }

    [Option("heads", HelpText = "Default 16; divides the width.")]
    public int? Heads { get; set; }

    [Option("parametrization", HelpText = "standard (default), or mup: the learning rate that is best at the base width serves other widths.")]
    public Parametrization? Parametrization { get; set; }

    [Option("base-width", HelpText = "Width at which mup is standard (default 64).")]
    public int? BaseWidth { get; set; }

    [Option("lr", HelpText = "Learning rate (default 2e-5; force fields 1e-3).")]
    public double? LearningRate { get; set; }

    [Option("batch", HelpText = "Molecules or frames per step (default 8; force fields 10).")]
    public int? Batch { get; set; }

    [Option("batch-atoms", HelpText = "Force fields: fill batches up to this many atoms instead.")]
    public int? BatchAtoms { get; set; }

    [Option("batch-edges", HelpText = "Force fields: fill batches up to this many directed edges.")]
    public int? BatchEdges { get; set; }

    [Option("accumulation", HelpText = "Micro-batches per step.")]
    public int? Accumulation { get; set; }

    [Option("schedule", HelpText = "constant, cosine or plateau, after warm-up (default constant; force fields plateau).")]
    public ScheduleKind? Schedule { get; set; }

    [Option("warmup", HelpText = "Warm-up, in optimizer steps (default 100).")]
    public long? Warmup { get; set; }

    [Option("clip", HelpText = "Global gradient norm to clip to.")]
    public double? Clip { get; set; }

    [Option("ema", HelpText = "Decay of a moving average of the weights.")]
    public double? Ema { get; set; }

    [Option("epochs", HelpText = "Passes over the data (default 1 where --steps is not given).")]
    public int? Epochs { get; set; }

    [Option("steps", HelpText = "Optimizer steps; with --epochs, whichever ends first.")]
    public long? Steps { get; set; }

    [Option("patience", HelpText = "Stop after this many validations without improvement.")]
    public int? Patience { get; set; }

    [Option("validate-every", HelpText = "For example '0.25 epochs' or '500 steps'.")]
    public string? ValidateEvery { get; set; }

    [Option("checkpoint-every", HelpText = "For example '10 minutes', '1 epochs', '500 steps' or 'never'.")]
    public string? CheckpointEvery { get; set; }

    [Option("moments", HelpText = "AdamW's moments: weights (the weights' type) or bfloat16.")]
    public MomentPrecision? Moments { get; set; }

    [Option("attention", HelpText = "chemgpt: what attention multiplies in, weights (the weights' type) or bfloat16 (CUDA; heads 16, 32, 64 or 128 wide).")]
    public AttentionPrecision? Attention { get; set; }

    [Option("dtype", HelpText = "float32 or float64.")]
    public Precision? Dtype { get; set; }

    [Option("device", HelpText = "cpu or cuda.")]
    public ComputeDevice? Device { get; set; }

    [Option("threads", HelpText = "CPU threads (default: all cores).")]
    public int? Threads { get; set; }

    [Option("operators", HelpText = "auto, composed, host or kernels.")]
    public OperatorMode? Operators { get; set; }

    [Option("seed", HelpText = "Default 42.")]
    public long? Seed { get; set; }

    /// <summary>Whether any option says what to train, on what, or how; those that concern a session only do not.</summary>
    protected bool IsDescribed => typeof(TrainingVerb).GetProperties().Where(p => p.DeclaringType == typeof(TrainingVerb))
        .Where(p => p.Name is not (nameof(Threads) or nameof(Device) or nameof(Operators) or nameof(CheckpointEvery)))
        .Any(p => p.GetValue(this) is { } value && (value is not IEnumerable<string> list || value is string || list.Any()));
}
