using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>Mean over the rows that count of -ln softmax(logits)[target]. The kernels are made for small vocabularies.</summary>
public static class CrossEntropy
{
    /// <summary>Target of a row that does not count.</summary>
    public const long Ignored = -100;

    /// <param name="logits">(T, V)</param>
    /// <param name="targets">(T) int64, 0 .. V - 1, or <see cref="Ignored"/></param>
    /// <returns>A scalar in nats; NaN where no row counts.</returns>
    public static Tensor Apply(Tensor logits, Tensor targets) =>
        OperatorModes.UseKernels(logits) ? CrossEntropyKernelsFunction.Apply(logits, targets) : Composed(logits, targets);

    internal static Tensor Composed(Tensor logits, Tensor targets) =>
        nn.functional.cross_entropy(logits, targets, ignore_index: Ignored);
}
