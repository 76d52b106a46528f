using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options that make an experiment: a YAML file, single settings over it, and where its data come from.</summary>
internal abstract class TrainingVerb : Verb
{
    [Option("experiment", HelpText = "Experiment file (YAML); the options below override it.")]
    public string? ExperimentFile { get; set; }

    [Option("data", HelpText = "Folder of a prepared store.")]
    public string? Data { get; set; }

    [Option("molecules", HelpText = "Prepare these files instead, into OUT/data.")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("grammar", HelpText = "SELFIES grammar of what is prepared: 1.0.4 or 2.1.")]
    public string? Grammar { get; set; }

    [Option("limit", HelpText = "Train on this many molecules: the first of the store's nested order.")]
    public long? Limit { get; set; }

    [Option("validation", HelpText = "Molecules of the fixed validation set (default 1000; with --limit as many as are trained on, at least 50).")]
    public long? Validation { get; set; }

    [Option("size", HelpText = "Width on the paper's ladder: 16, 32, 64, ... 2048 (24 layers, 16 heads).")]
    public int? Size { get; set; }

    [Option("layers", HelpText = "Default 24.")]
    public int? Layers { get; set; }

    [Option("width", HelpText = "Default 64.")]
    public int? Width { get; set; }

    [Option("heads", HelpText = "Default 16; divides the width.")]
    public int? Heads { get; set; }

    [Option("lr", HelpText = "Learning rate (default 2e-5).")]
    public double? LearningRate { get; set; }

    [Option("batch", HelpText = "Molecules per step (default 8).")]
    public int? Batch { get; set; }

    [Option("accumulation", HelpText = "Micro-batches per step.")]
    public int? Accumulation { get; set; }

    [Option("schedule", HelpText = "constant or cosine, after warm-up.")]
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

    [Option("dtype", HelpText = "float32 or float64.")]
    public Precision? Dtype { get; set; }

    [Option("device", HelpText = "cpu or cuda.")]
    public ComputeDevice? Device { get; set; }

    [Option("threads", HelpText = "CPU threads (default: all cores).")]
    public int? Threads { get; set; }

    [Option("operators", HelpText = "auto, composed or host.")]
    public string? Operators { get; set; }

    [Option("seed", HelpText = "Default 42.")]
    public long? Seed { get; set; }

    /// <summary>The experiment these options describe; its data are prepared where need be.</summary>
    /// <param name="folder">Where data that must be prepared go, under data.</param>
    /// <param name="stop">Ends a preparation.</param>
    /// <param name="begun">The experiment of a run to go on with: what the options start from where no file is given.</param>
    protected Experiment Build(string folder, CancellationToken stop, Experiment? begun = null)
    {
        if (Operators is not null) OperatorModes.Current = OperatorModes.Parse(Operators);
        Experiment? file = ExperimentFile is null ? begun : Experiment.Read(ExperimentFile);
        DataSpec data = file?.Data ?? new DataSpec();
        if (data.Store == DataSpec.Virtual && begun is not null) data = data with { Store = begun.Data.Store };
        if (Limit is { } limit) data = data with { Subset = limit, Validation = Math.Min(data.Validation, Math.Max(50, limit)) };
        if (Validation is { } validation) data = data with { Validation = validation };
        ChemGptConfig model = Model(file);
        TrainingSpec training = Training(file?.Training ?? new TrainingSpec());
        // Before any data are prepared: that may take long.
        _ = new Experiment { Model = ModelSpec.Of(model), Data = data, Training = training }.Validated();
        data = data with { Store = Prepared(folder, data, stop) };
        using (TokenStore store = TokenStore.Open(data.Store))
        {
            // A vocabulary of its own comes with every store; the file's choice stands where it says one.
            if (file is null) model = model with { VocabularySize = store.Manifest.VocabularySize };
            data = data with { Fingerprint = store.Manifest.Fingerprint, Grammar = store.Manifest.Grammar };
        }
        return new Experiment { Model = ModelSpec.Of(model), Data = data, Training = training, Seed = Seed ?? file?.Seed ?? 42 }.Validated();
    }

    private ChemGptConfig Model(Experiment? file)
    {
        if (Size is not null && (Layers ?? Width ?? Heads) is not null)
            throw new InputException("--size", "given beside --layers, --width or --heads", "either a rung of the ladder or a shape");
        ChemGptConfig model = file?.Model.Config as ChemGptConfig ?? new ChemGptConfig { Width = 64 };
        if (Size is { } size) model = ChemGptConfig.Ladder(size, model.VocabularySize);
        model = model with { Layers = Layers ?? model.Layers, Width = Width ?? model.Width, Heads = Heads ?? model.Heads };
        model.Validate();
        return model;
    }

    private TrainingSpec Training(TrainingSpec spec) => spec with
    {
        Optimizer = spec.Optimizer with { Moments = Moments ?? spec.Optimizer.Moments },
        LearningRate = LearningRate ?? spec.LearningRate,
        BatchSize = Batch ?? spec.BatchSize,
        Accumulation = Accumulation ?? spec.Accumulation,
        Schedule = spec.Schedule with { Kind = Schedule ?? spec.Schedule.Kind, WarmupSteps = Warmup ?? spec.Schedule.WarmupSteps },
        ClipNorm = Clip ?? spec.ClipNorm,
        EmaDecay = Ema ?? spec.EmaDecay,
        Epochs = Epochs ?? (Steps is null ? spec.Epochs ?? (spec.Steps is null ? 1 : null) : null),
        Steps = Steps ?? (Epochs is null ? spec.Steps : null),
        Patience = Patience ?? spec.Patience,
        ValidationInterval = ValidateEvery is null ? spec.ValidationInterval : ParseInterval(ValidateEvery, "--validate-every"),
        CheckpointInterval = CheckpointEvery is null ? spec.CheckpointInterval : ParseInterval(CheckpointEvery, "--checkpoint-every"),
        Dtype = Dtype ?? spec.Dtype,
        Device = Device ?? spec.Device,
        Threads = Threads ?? spec.Threads,
    };

    private string Prepared(string folder, DataSpec data, CancellationToken stop)
    {
        if (Data is not null && Molecules.Any()) throw new InputException("--data", "given beside --molecules", "one of them");
        if (Data is not null) return Path.GetFullPath(Data);
        if (!Molecules.Any() && data.Store != DataSpec.Virtual) return data.Store;
        string target = Path.GetFullPath(Path.Combine(folder, "data"));
        // Room for the validation molecules and for duplicates.
        long molecules = Math.Max(2000, 2 * (data.Subset ?? 10_000));
        using var display = new PreparationDisplay();
        MoleculeStores.Ensure(new PreparationOptions
        {
            Files = [.. Molecules],
            Source = Molecules.Any() ? null : MoleculeStores.VirtualLibrary(molecules),
            Output = target,
            ValidationFraction = 0.1,
            Grammar = Grammar is null ? data.Grammar : SelfiesGrammars.Parse(Grammar),
        }, display, stop);
        return target;
    }

    private static Interval ParseInterval(string text, string option) =>
        Interval.TryParse(text, out Interval interval) ? interval : throw new InputException(option, $"'{text}'", Interval.Expected);
}
