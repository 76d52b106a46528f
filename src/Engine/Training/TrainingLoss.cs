using static TorchSharp.torch;

namespace ChemScale.Engine.Training;

/// <summary>The outcome of one micro-batch's forward pass.</summary>
/// <param name="Loss">Scalar, differentiable: the mean over <paramref name="Items"/>. The trainer disposes of it.</param>
/// <param name="Items">Tokens or frames it is the mean of; the weight of this micro-batch among those of a step.</param>
/// <param name="Scalars">Other measurements to log, averaged over micro-batches like the loss.</param>
public readonly record struct TrainingLoss(Tensor Loss, long Items, IReadOnlyDictionary<string, double>? Scalars = null);
