using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Packing;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>ChemGPT on a token store: packed molecules in, nats per predicted token out.</summary>
internal sealed class LanguageModelTask : ITrainingTask
{
    /// <summary>Name of the tokenizer among <see cref="ModelFiles"/>.</summary>
    internal const string TokenizerFile = "tokenizer.json";

    // Validation batches cost no backward pass: larger ones only save calls.
    private const int ValidationTokens = 4096;

    private readonly TokenStore store;
    private readonly Tokenizer tokenizer;
    private readonly ChemGpt model;
    private readonly TokenSplit train;
    private readonly BatchOptions options;
    private readonly ValidationBatches validation;
    private readonly long validationMolecules;
    private readonly Device device;
    private BatchCursor cursor;
    private PackedRows? rows;

    /// <param name="experiment">Its model must be a ChemGPT whose vocabulary holds the store's.</param>
    /// <param name="store">Becomes the task's own.</param>
    /// <exception cref="InputException">Model and store do not fit together, the store holds other data than the experiment names, or a
    /// subset is larger than the store.</exception>
    public LanguageModelTask(Experiment experiment, TokenStore store)
    {
        this.store = store;
        if (experiment.Model.Config is not ChemGptConfig config)
            throw new InputException("model.family", experiment.Model.Family.Name, "chemgpt", "token stores train language models");
        tokenizer = experiment.Training.InitSymbols is { } symbols ? store.Tokenizer.Extended(symbols.Split(' '), "training.initSymbols") : store.Tokenizer;
        if (tokenizer.Vocabulary.Size > config.VocabularySize)
            throw new InputException("model.vocabularySize", $"{config.VocabularySize}", $"{tokenizer.Vocabulary.Size} or more, as in {store.Folder}");
        experiment.Data.RequireFingerprint(store.Folder, store.Manifest.Fingerprint);
        if ((experiment.Data.Representation ?? Representation.Selfies) != store.Manifest.Representation)
            throw new InputException(store.Folder, $"molecules as {store.Manifest.NotationName}", "the representation that the experiment says", "each has a store of its own");
        train = experiment.Data.Subset is { } subset ? store.Train.Subset(subset) : store.Train;
        options = new BatchOptions { Size = experiment.Training.BatchSize, Seed = experiment.Seed, Positions = config.Positions };
        cursor = new BatchCursor(train, options);
        if (store.Validation.Documents == 0) throw new InputException(store.Folder, "no validation molecules", "at least one", "prepare with a larger validation fraction");
        TokenSplit held = store.Validation.Subset(Math.Min(experiment.Data.Validation, store.Validation.Documents));
        validationMolecules = held.Documents;
        int budget = Math.Max(ValidationTokens, store.Manifest.Validation.Longest);
        validation = new ValidationBatches(held, options with { Unit = BatchUnit.Tokens, Size = budget });
        device = experiment.Training.Device == ComputeDevice.Cuda ? CUDA : CPU;
        ScalarType dtype = experiment.Training.Dtype == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        model = new ChemGpt(config, experiment.Seed, dtype, device) { Precision = experiment.Training.Attention };
    }

    public nn.Module Model => model;

    public ChemGpt ChemGpt => model;

    public long BatchesPerEpoch => cursor.BatchesPerEpoch!.Value;

    public string ItemName => "tokens";

    public long NonEmbeddingParameters => model.NonEmbeddingParameters;

    /// <summary>D: unique training tokens, [CLS] and [SEP] included.</summary>
    public long UniqueItems => train.Tokens;

    /// <inheritdoc/>
    public double? LossTermsPerDocument => validation.PredictedTokens / (double)validationMolecules;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, byte[]> ModelFiles =>
        new Dictionary<string, byte[]> { [TokenizerFile] = Encoding.UTF8.GetBytes(tokenizer.ToJson()) };

    public double LearningRateFactor(string name) => model.LearningRateFactor(name);

    public TrainingLoss NextLoss()
    {
        // The backward pass of the last loss is over by now.
        rows?.Dispose();
        PackedBatch batch = cursor.Next();
        rows = new PackedRows(batch.RowStarts);
        return new TrainingLoss(Loss(batch, rows), batch.Tokens) { Weight = batch.PredictedTokens };
    }

    public IReadOnlyDictionary<string, double> Validate()
    {
        using var gradients = no_grad();
        double sum = 0;
        foreach (PackedBatch batch in validation)
        {
            using var scope = NewDisposeScope();
            using var batchRows = new PackedRows(batch.RowStarts);
            sum += Loss(batch, batchRows).to(ScalarType.Float64).item<double>() * batch.PredictedTokens;
        }
        return new Dictionary<string, double> { ["val_loss"] = sum / validation.PredictedTokens, ["val_loss_per_molecule"] = sum / validationMolecules };
    }

    public JsonNode SaveState() => JsonSerializer.SerializeToNode(cursor.State)!;

    public void LoadState(JsonNode state) => cursor = new BatchCursor(train, options, state.Deserialize<CursorState>());

    public void Dispose()
    {
        rows?.Dispose();
        model.Dispose();
        store.Dispose();
    }

    private Tensor Loss(PackedBatch batch, PackedRows batchRows)
    {
        using Tensor ids = Indices(batch.TokenIds), positions = Indices(batch.Positions), targets = Indices(batch.Targets);
        return model.Loss(ids, positions, batchRows, targets);
    }

    private Tensor Indices(int[] values) => tensor(Array.ConvertAll(values, static v => (long)v), device: device);
}
