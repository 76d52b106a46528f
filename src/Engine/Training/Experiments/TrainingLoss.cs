using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>The outcome of one micro-batch's forward pass.</summary>
/// <param name="Loss">Scalar, differentiable: a mean over <see cref="Weight"/> terms. The trainer disposes of it.</param>
/// <param name="Items">Tokens or frames of the micro-batch.</param>
/// <param name="Scalars">Other measurements to log, averaged over micro-batches like the loss.</param>
public readonly record struct TrainingLoss(Tensor Loss, long Items, IReadOnlyDictionary<string, double>? Scalars = null)
{
    /// <summary>How many terms the loss is the mean of: the weight of this micro-batch among others. Predicted tokens; frames.</summary>
    public long Weight { get; init; } = Items;
}
