using System.Collections.Immutable;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// What the trainer needs to know of a model and its data. Nothing here is particular to molecules or force fields. Random numbers of a step
/// come from <c>RunScope.Current.Random</c> (dropout: a mask from that generator), which is saved with checkpoints; torch's default
/// generator is shared by all runs of a process, and not saved.
/// </summary>
public interface ITrainingTask : IDisposable
{
    /// <summary>On its device and in its type from the start. Parameters with <c>requires_grad</c> are trained.</summary>
    nn.Module Model { get; }

    /// <summary>What the learning rate is multiplied by, and the weight decay divided by, for the parameter of this name.</summary>
    double LearningRateFactor(string name) => 1;

    /// <summary>Micro-batches in one pass over the training data: the same number in every epoch.</summary>
    long BatchesPerEpoch { get; }

    /// <summary>What is counted: <c>tokens</c>, <c>frames</c>.</summary>
    string ItemName { get; }

    /// <summary>N of the scaling laws: non-embedding parameters, from the real tensors; of a model without embeddings all of them.</summary>
    long NonEmbeddingParameters => Model.parameters().Sum(p => p.numel());

    /// <summary>D: how much of what is counted the training data hold, repeats not counted.</summary>
    long UniqueItems { get; }

    /// <summary>
    /// Terms of the validation loss for each document that is held out, on average, where a document has many: predicted tokens a molecule. A loss times this
    /// is per document. Null where the loss is no mean over parts of documents.
    /// </summary>
    double? LossTermsPerDocument => null;

    /// <summary>
    /// Forward on the next micro-batch, going on into the next epoch by itself; the order of the data is the task's, from the seed.
    /// </summary>
    TrainingLoss NextLoss();

    /// <summary>
    /// What whoever uses the trained model needs beside its weights, content by file name: kept in the run directory, so that it is enough.
    /// </summary>
    IReadOnlyDictionary<string, byte[]> ModelFiles => ImmutableDictionary<string, byte[]>.Empty;

    /// <summary>
    /// The fixed validation set with the present weights; holds at least <c>val_loss</c>. The model is in evaluation mode; gradients
    /// are not switched off, since forces need them.
    /// </summary>
    IReadOnlyDictionary<string, double> Validate();

    /// <summary>
    /// Where the data stand: all that <see cref="LoadState"/> needs to give the same next batches, in another process too.
    /// </summary>
    JsonNode SaveState();

    void LoadState(JsonNode state);
}

/// <summary>The outcome of one micro-batch's forward pass.</summary>
/// <param name="Loss">Scalar, differentiable: a mean over <see cref="Weight"/> terms. The trainer disposes of it.</param>
/// <param name="Items">Tokens or frames of the micro-batch.</param>
/// <param name="Scalars">Other measurements to log, averaged over micro-batches like the loss.</param>
public readonly record struct TrainingLoss(Tensor Loss, long Items, IReadOnlyDictionary<string, double>? Scalars = null)
{
    /// <summary>How many terms the loss is the mean of: the weight of this micro-batch among others. Predicted tokens; frames.</summary>
    public long Weight { get; init; } = Items;
}
