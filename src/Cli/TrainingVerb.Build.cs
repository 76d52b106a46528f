using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Cli;

/// <summary>From the options to an experiment.</summary>
internal abstract partial class TrainingVerb
{
    /// <summary>The experiment these options describe; its data are prepared where need be.</summary>
    /// <param name="folder">Where data that must be prepared go, under data.</param>
    /// <param name="stop">Ends a preparation.</param>
    /// <param name="begun">The experiment of a run to go on with: what the options start from where no file is given.</param>
    protected Experiment Build(string folder, CancellationToken stop, Experiment? begun = null)
    {
        if (Operators is not null) OperatorModes.Current = OperatorModes.Parse(Operators);
        Experiment? file = ExperimentFile is null ? begun : Experiment.Read(ExperimentFile);
        ModelFamily family = Family(file);
        DataSpec data = file?.Data ?? new DataSpec();
        if (data.Store == DataSpec.Virtual && begun is not null) data = data with { Store = begun.Data.Store };
        if (Limit is { } limit) data = data with { Subset = limit, Validation = Math.Min(data.Validation, Math.Max(50, limit)) };
        if (Validation is { } validation) data = data with { Validation = validation };
        return family is ChemGptFamily ? LanguageModel(folder, file, data, stop) : ForceField(folder, file, family, data, stop);
    }

    /// <summary>The family named, else the file's, else ChemGPT.</summary>
    private ModelFamily Family(Experiment? file)
    {
        ModelFamily? family = ModelName is null ? file?.Model.Family : ModelFamily.All.FirstOrDefault(f => f.Name == ModelName.ToLowerInvariant());
        if (ModelName is not null && family is null)
            throw new InputException("--model", $"'{ModelName}'", $"one of {string.Join(", ", ModelFamily.All.Select(f => f.Name))}");
        if (file is not null && family != file.Model.Family) throw new InputException("--model", ModelName!, $"{file.Model.Family.Name}, as the experiment says");
        if (family is null && (Frames.Any() || (Data is not null && FrameStore.Exists(Data))))
            throw new InputException(Data ?? "--frames", "frames, and no force field named", "--model schnet, painn, spookynet or allegro");
        return family ?? ModelFamily.All.First(f => f is ChemGptFamily);
    }

    private Experiment LanguageModel(string folder, Experiment? file, DataSpec data, CancellationToken stop)
    {
        if (Frames.Any() || Units is not null) throw new InputException("--frames", "given for a language model", "--molecules", "name a force field with --model");
        foreach ((string option, bool given) in ForceFieldOptions())
            if (given) throw new InputException(option, "given for a language model", "an option that chemgpt has", "name a force field with --model");
        ChemGptConfig model = Model(file);
        TrainingSpec training = Training(file?.Training ?? new TrainingSpec());
        // Before any data are prepared: that may take long.
        Experiment experiment = new Experiment { Model = ModelSpec.Of(model), Data = data, Training = training, Seed = Seed ?? file?.Seed ?? 42 }.Validated();
        experiment = Overridden(experiment, []);
        data = experiment.Data with { Store = Prepared(folder, experiment.Data, stop) };
        using (TokenStore store = TokenStore.Open(data.Store, stop))
        {
            model = (ChemGptConfig)experiment.Model.Config;
            // A vocabulary of its own comes with every store; the file's choice stands where it says one.
            if (file is null) model = model with { VocabularySize = store.Manifest.VocabularySize };
            data = data with { Fingerprint = store.Manifest.Fingerprint, Grammar = store.Manifest.Grammar };
        }
        return (experiment with { Model = ModelSpec.Of(model), Data = data }).Validated();
    }

    private Experiment ForceField(string folder, Experiment? file, ModelFamily family, DataSpec data, CancellationToken stop)
    {
        foreach ((string option, bool given) in LanguageModelOptions())
            if (given) throw new InputException(option, $"given for {family.Name}", "an option that force fields have", "--features and --interactions shape a force field");
        Experiment experiment = file ?? ForceFieldDefaults.Experiment(family);
        experiment = experiment with { Data = data, Training = Training(experiment.Training), Seed = Seed ?? experiment.Seed };
        experiment = Overridden(experiment.Validated(),
        [
            ("model.features", Features), ("model.interactions", Interactions), ("model.cutoff", Cutoff),
            ("training.labelLoss.energyWeight", EnergyWeight), ("training.labelLoss.forceWeight", ForceWeight), ("training.labelLoss.stressWeight", StressWeight),
        ]);
        string store = PreparedFrames(folder, experiment.Data, stop);
        if (file is null)
        {
            // What the data say of the model stands below what the options say.
            experiment = experiment with { Model = ModelSpec.Of(FrameStores.Fitted((ForceFieldConfig)experiment.Model.Config, store, stop)) };
            experiment = Overridden(experiment, []);
        }
        return (experiment with { Data = FrameStores.Describe(experiment.Data with { Store = store }) }).Validated();
    }

    /// <summary>The experiment with single keys replaced: those of options that were given, then those of --set.</summary>
    private Experiment Overridden(Experiment experiment, (string Key, object? Value)[] options)
    {
        (string, string)[] given = [.. options.Where(o => o.Value is not null).Select(o => (o.Key, Convert.ToString(o.Value, CultureInfo.InvariantCulture)!))];
        if (given.Length > 0) experiment = ExperimentKeys.With(experiment, given, "options");
        return Set.Any() ? ExperimentKeys.With(experiment, Set.Select(text => ExperimentKeys.Parse(text, "--set")), "--set") : experiment;
    }

    private (string Option, bool Given)[] ForceFieldOptions() =>
    [
        ("--features", Features is not null), ("--interactions", Interactions is not null), ("--cutoff", Cutoff is not null),
        ("--energy-weight", EnergyWeight is not null), ("--force-weight", ForceWeight is not null), ("--stress-weight", StressWeight is not null),
        ("--batch-atoms", BatchAtoms is not null), ("--batch-edges", BatchEdges is not null),
    ];

    private (string Option, bool Given)[] LanguageModelOptions() =>
    [
        ("--size", Size is not null), ("--layers", Layers is not null), ("--width", Width is not null), ("--heads", Heads is not null),
        ("--parametrization", Parametrization is not null), ("--base-width", BaseWidth is not null), ("--attention", Attention is not null),
        ("--molecules", Molecules.Any()), ("--grammar", Grammar is not null),
    ];

    private ChemGptConfig Model(Experiment? file)
    {
        if (Size is not null && (Layers ?? Width ?? Heads) is not null)
            throw new InputException("--size", "given beside --layers, --width or --heads", "either a rung of the ladder or a shape");
        ChemGptConfig model = file?.Model.Config as ChemGptConfig ?? new ChemGptConfig { Width = 64 };
        if (Size is { } size)
            model = ChemGptConfig.Ladder(size, model.VocabularySize) with { Parametrization = model.Parametrization, BaseWidth = model.BaseWidth };
        model = model with
        {
            Layers = Layers ?? model.Layers,
            Width = Width ?? model.Width,
            Heads = Heads ?? model.Heads,
            Parametrization = Parametrization ?? model.Parametrization,
            BaseWidth = BaseWidth ?? model.BaseWidth,
        };
        model.Validate();
        return model;
    }

    private TrainingSpec Training(TrainingSpec spec) => spec with
    {
        Optimizer = spec.Optimizer with { Moments = Moments ?? spec.Optimizer.Moments },
        LearningRate = LearningRate ?? spec.LearningRate,
        BatchSize = Batch ?? spec.BatchSize,
        BatchAtoms = BatchAtoms ?? spec.BatchAtoms,
        BatchEdges = BatchEdges ?? spec.BatchEdges,
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
        Attention = Attention ?? spec.Attention,
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

    private string PreparedFrames(string folder, DataSpec data, CancellationToken stop)
    {
        if (Data is not null && Frames.Any()) throw new InputException("--data", "given beside --frames", "one of them");
        if (Data is not null) return Path.GetFullPath(Data);
        if (!Frames.Any() && data.Store != DataSpec.Virtual) return data.Store;
        string target = Path.GetFullPath(Path.Combine(folder, "data"));
        using var display = new PreparationDisplay();
        var options = new FramePreparation
        {
            Files = [.. Frames],
            Output = target,
            Energy = Units is null ? null : EnergyUnit.Parse(Units, "--units"),
            ValidationFraction = 0.1,
        };
        if (Frames.Any()) FrameStores.Ensure(options, display.Report, stop);
        else FrameStores.EnsureEmbedded(options, display.Report, stop);
        return target;
    }

    private static Interval ParseInterval(string text, string option) =>
        Interval.TryParse(text, out Interval interval) ? interval : throw new InputException(option, $"'{text}'", Interval.Expected);
}
