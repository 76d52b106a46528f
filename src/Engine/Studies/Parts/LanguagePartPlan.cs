using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Parts;

/// <summary>ChemGPT on molecules; the width alone scales, as in the paper. Two sizes are ready-made.</summary>
public sealed record LanguagePartPlan : StudyPartPlan
{
    /// <summary>Files of molecules; none: the virtual library, which is synthetic.</summary>
    public IReadOnlyList<string> Molecules { get; init; } = [];

    /// <summary>Molecules taken from the files or the library.</summary>
    public long Limit { get; init; } = 10_000;

    public SelfiesGrammar Grammar { get; init; } = SelfiesGrammar.V1;

    /// <summary>A tokenizer.json; null: the corpus's own symbols.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>The model; its width is the search's and the grid's.</summary>
    public ChemGptConfig Model { get; init; } = new() { Layers = 4, Heads = 16, Window = 256, Positions = 512 };

    public int SearchWidth { get; init; } = 32;

    public IReadOnlyList<int> Widths { get; init; } = [16, 32, 64, 128];

    public override string Name => "chemgpt";

    public override string Family => "ChemGPT";

    public override string LossUnit => "nats per token";

    public override string ItemName => "tokens";

    public override string DocumentName => "molecules";

    public override Configuration Default => Configuration.HuggingFaceDefault;

    public override GridModel SearchModel => Of(SearchWidth);

    public override bool RateServesAllWidths => Model.Parametrization == Parametrization.Mup;

    public override IReadOnlyList<GridModel> Models => [.. Widths.Order().Select(Of)];

    /// <summary>About a minute and a half on two cores, on the virtual library.</summary>
    public static LanguagePartPlan Quick { get; } = new()
    {
        Validation = 400,
        SearchDocuments = 400,
        LearningRates = [5e-5, 3e-4, 1e-3, 4e-3],
        BatchSizes = [8, 16, 32],
        Subsets = [100, 400, 1600, 6400],
        MaximumSeen = 6000,
    };

    /// <summary>About ten minutes on two cores, on a real corpus of 20,000 molecules or more.</summary>
    public static LanguagePartPlan Standard { get; } = Quick with
    {
        Limit = 20_000,
        Validation = 1000,
        SearchDocuments = 1000,
        Subsets = [500, 2000, 8000, 16_000],
        MaximumSeen = 48_000,
    };

    /// <inheritdoc/>
    public override DataFacts Prepare(string folder, StudyObserver observer, CancellationToken stop)
    {
        observer.Begin(Molecules.Count == 0 ? $"preparing {Limit:N0} molecules of the virtual library (synthetic)" : $"preparing {string.Join(", ", Molecules)}");
        PreparationReport? report = MoleculeStores.Ensure(new PreparationOptions
        {
            Files = Molecules,
            Source = Molecules.Count == 0 ? MoleculeStores.VirtualLibrary(Limit) : null,
            Limit = Molecules.Count == 0 ? null : Limit,
            Output = folder,
            Grammar = Tokenizer is null ? Grammar : null,
            TokenizerFile = Tokenizer,
            ValidationFraction = 0.1,
            MaximumTokens = Math.Min(512, Model.Positions),
            Seed = Seed,
        }, observer.Preparation, stop);
        return StoreFacts.Of(folder, report);
    }

    /// <inheritdoc/>
    public override Experiment Basis(string store)
    {
        using TokenStore tokens = TokenStore.Open(store);
        return new Experiment
        {
            Model = ModelSpec.Of(Model with { Width = SearchWidth, VocabularySize = tokens.Manifest.VocabularySize }),
            Data = new DataSpec
            {
                Store = store,
                Fingerprint = tokens.Manifest.Fingerprint,
                Grammar = tokens.Manifest.Grammar,
                Validation = Math.Min(Validation, tokens.Manifest.Validation.Documents),
            },
            Training = new TrainingSpec
            {
                Epochs = 1,
                Schedule = new ScheduleSpec { WarmupSteps = 20 },
                ClipNorm = 1,
                Threads = 1,
                CheckpointInterval = Interval.Minutes(2),
            },
            Seed = Seed,
        };
    }

    /// <summary>With the vocabulary that the store turned out to have.</summary>
    public override object Fitted(GridModel model, Experiment basis) =>
        (ChemGptConfig)model.Config with { VocabularySize = ((ChemGptConfig)basis.Model.Config).VocabularySize };

    /// <inheritdoc/>
    public override IEnumerable<string> Cautions => Model.Layers < 24
        ? [$"These models have {Model.Layers} layers; the paper's have 24. Exponents of small, shallow models are not those of the paper."]
        : [];

    /// <inheritdoc/>
    public override IEnumerable<CommandNote> Commands(string directory, string store) =>
    [
        new("A longer training on the same data", $"chemscale train --data {store} --size 64 --epochs 10 --out runs/longer"),
        new("Molecules from a model of the grid", $"chemscale generate --run {Path.Combine(directory, "grid", "<run>")} --count 20"),
    ];

    public override void Check()
    {
        if (Limit < 10) throw new InputException("--limit", $"{Limit}", "10 molecules or more");
        if (Widths.Count == 0) throw new InputException("--widths", "none", "one or more");
        foreach (int width in Widths.Append(SearchWidth)) (Model with { Width = width }).Validate();
        base.Check();
    }

    private GridModel Of(int width)
    {
        ChemGptConfig config = Model with { Width = width };
        return new GridModel($"width {width}", config, config.NonEmbeddingParameters, width);
    }
}
