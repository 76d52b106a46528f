using System.Globalization;
using ChemScale.Engine.Models;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Tasks;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Families;

/// <summary>ChemGPT: GPT-Neo language models of SELFIES; the width alone scales, as in the paper.</summary>
internal sealed class ChemGptFamily : ModelFamily
{
    private const string Size = "model.size";

    public override string Name => "chemgpt";

    public override string Title => "ChemGPT";

    public override Type ConfigType => typeof(ChemGptConfig);

    public override DataKind Data => MoleculeData.Instance;

    public override string ItemName => "tokens";

    public override Experiment Defaults => base.Defaults with { Model = ModelSpec.Of(new ChemGptConfig { Width = 64 }) };

    public override IReadOnlyList<string> Unused => ["training.labelLoss", "training.batchAtoms", "training.batchEdges"];

    /// <summary>A rung of the paper's ladder.</summary>
    public override IReadOnlyDictionary<string, IReadOnlyList<string>> Shorthands { get; } =
        new Dictionary<string, IReadOnlyList<string>> { [Size] = ["model.layers", "model.width", "model.heads"] };

    public override string LossUnit(TrainingSpec training) => "nats per token";

    public override void Check(object config, string place) => ((ChemGptConfig)config).Validate($"{place}: model");

    public override void Check(TrainingSpec training, object config, string place)
    {
        var model = (ChemGptConfig)config;
        training.CheckAttention(model.Width / model.Heads, place);
    }

    public override long NonEmbeddingParameters(object config) => ((ChemGptConfig)config).NonEmbeddingParameters;

    /// <inheritdoc/>
    /// <remarks>6 N for each token, as in the paper: attention's own products are left out.</remarks>
    public override TrainingCost Cost(object config, TrainingSpec training, string store)
    {
        using TokenStore tokens = TokenStore.Open(store);
        return new TrainingCost(6.0 * NonEmbeddingParameters(config), tokens.Train.Tokens / (double)Math.Max(1, tokens.Train.Documents));
    }

    public override string? Idle(object config, string key)
    {
        var model = (ChemGptConfig)config;
        return key switch
        {
            "training.batchAtoms" or "training.batchEdges" => "it is of force fields",
            _ when key.StartsWith("training.labelLoss.", StringComparison.Ordinal) => "it is of force fields",
            "model.baseWidth" when model.Parametrization == Parametrization.Standard => "model.parametrization is standard",
            "model.window" when !model.AttentionPattern.Contains('l', StringComparison.Ordinal) => "model.attentionPattern has no local layer",
            _ => null,
        };
    }

    /// <summary>A vocabulary of its own comes with every store.</summary>
    public override object Fitted(object config, string store)
    {
        using TokenStore tokens = TokenStore.Open(store);
        return (ChemGptConfig)config with { VocabularySize = tokens.Manifest.VocabularySize };
    }

    /// <inheritdoc/>
    /// <remarks>The whole vocabulary: symbols that these data lack are still symbols of the model. Pieces of symbols, and symbols of another grammar, are not.</remarks>
    internal override Experiment BegunWith(Experiment experiment, Func<string, string> find)
    {
        Tokenizer learned = Tokenizer.Load(find(LanguageModelTask.TokenizerFile));
        using TokenStore store = MoleculeData.Open(experiment);
        Tokenizer data = store.Tokenizer;
        // What does not fit at all is refused where the weights are read.
        if (learned.Representation != data.Representation || (data.Representation == Representation.Selfies && learned.Grammar != data.Grammar)) return experiment;
        string[] lacking = [.. Enumerable.Range(0, learned.Vocabulary.Size).Where(learned.IsSymbol).Select(learned.Vocabulary.Text)
            .Where(symbol => !data.Vocabulary.TryFind(symbol, out _))];
        var config = (ChemGptConfig)experiment.Model.Config;
        return experiment with
        {
            Model = ModelSpec.Of(config with { VocabularySize = Math.Max(config.VocabularySize, data.Vocabulary.Size + lacking.Length) }),
            Training = experiment.Training with { InitSymbols = lacking.Length > 0 ? string.Join(' ', lacking) : null },
        };
    }

    public override object Expand(object config, string shorthand, object value)
    {
        var model = (ChemGptConfig)config;
        return ChemGptConfig.Ladder(Convert.ToInt32(value, CultureInfo.InvariantCulture), model.VocabularySize) with
        {
            Parametrization = model.Parametrization,
            BaseWidth = model.BaseWidth,
        };
    }

    public override ITrainingTask CreateTask(Experiment experiment, CancellationToken stop = default)
    {
        TokenStore store = MoleculeData.Open(experiment, stop);
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

    public override long CountBatches(Experiment experiment)
    {
        using TokenStore store = MoleculeData.Open(experiment);
        long documents = experiment.Data.Subset ?? store.Train.Documents;
        return (documents + experiment.Training.BatchSize - 1) / experiment.Training.BatchSize;
    }

    internal override bool KeepsFiles => true;

    public override ChemGpt CreateLanguageModel(object config, long seed, ScalarType dtype = ScalarType.Float32) => new((ChemGptConfig)config, seed, dtype);

    /// <summary>
    /// On the virtual library about a minute and a half on two cores; on a corpus of 20,000 molecules or more about ten.
    /// </summary>
    public override StudyOutline Study(bool own)
    {
        var quick = new StudyOutline
        {
            Basis = new Experiment
            {
                Model = ModelSpec.Of(new ChemGptConfig { Layers = 4, Heads = 16, Window = 256, Positions = 512 }),
                Training = new TrainingSpec { Epochs = 1, Schedule = new ScheduleSpec { WarmupSteps = 20 }, ClipNorm = 1, Threads = 1, CheckpointInterval = Interval.Minutes(2) },
            },
            // The defaults of Hugging Face's TrainingArguments.
            Start = (5e-5, 8),
            SearchShape = new(null, 32),
            // Five, over 1.8 decades of N: fewer, or less, cannot show a law.
            Shapes = [new(null, 16), new(null, 32), new(null, 48), new(null, 80), new(null, 128)],
            // The best of 1e11 FLOP has about 7,000 parameters, the best of 1e12 about 20,000.
            Budgets = new([new(1, 16), new(2, 16), new(4, 16), new(2, 32), new(4, 32), new(4, 48), new(4, 64)], [1e-3, 4e-3, 1.6e-2, 6.4e-2]) { Limit = 100_000 },
            LearningRates = [5e-5, 3e-4, 1e-3, 4e-3],
            BatchSizes = [8, 16, 32],
            Validation = 400,
            SearchDocuments = 400,
            Subsets = [100, 400, 1600, 6400],
            MaximumSeen = 6000,
            Limit = 10_000,
        };
        return own ? quick with
        {
            Budgets = quick.Budgets with { Limit = null },
            Limit = 20_000,
            Validation = 1000,
            SearchDocuments = 1000,
            Subsets = [500, 2000, 8000, 16_000],
            MaximumSeen = 48_000,
        } : quick;
    }

    public override object Shaped(object config, ModelShape shape)
    {
        var model = (ChemGptConfig)config;
        return model with { Layers = shape.Depth ?? model.Layers, Width = shape.Width };
    }

    public override string NameOf(ModelShape shape) => shape.Depth is null ? $"width {shape.Width}" : base.NameOf(shape);

    public override bool RateServesAllWidths(object config) => ((ChemGptConfig)config).Parametrization == Parametrization.Mup;

    public override IEnumerable<string> Cautions(object config) => config is ChemGptConfig { Layers: < 24 and var layers }
        ? [$"These models have {layers} {(layers == 1 ? "layer" : "layers")}; the paper's have 24. Exponents of small, shallow models are not those of the paper."]
        : [];

    public override DataSource ForStudy(DataSource source, object config) =>
        source with { MaximumTokens = Math.Min(source.MaximumTokens, ((ChemGptConfig)config).Positions) };

    public override Experiment OnStore(Experiment experiment, string store)
    {
        using TokenStore tokens = TokenStore.Open(store);
        long held = Math.Min(experiment.Data.Validation, tokens.Manifest.Validation.Documents);
        return base.OnStore(experiment with { Data = experiment.Data with { Validation = held } }, store);
    }
}
