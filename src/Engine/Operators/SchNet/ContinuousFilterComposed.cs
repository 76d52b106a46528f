using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary><see cref="ContinuousFilter"/> from library operations on all edges at once: the oracle.</summary>
internal static class ContinuousFilterComposed
{
    /// <param name="pairs">The edges.</param>
    /// <param name="inputs">h, phi, f, W1, b1, W2, b2</param>
    /// <returns>m</returns>
    public static Tensor?[] Apply(PairList pairs, Tensor?[] inputs)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor features, Tensor radial, Tensor envelope) = (inputs[0]!, inputs[1]!, inputs[2]!);
        Tensor hidden = ShiftedSoftplus.Apply(nn.functional.linear(radial, inputs[3]!, inputs[4]!));
        Tensor filter = pairs.OfEdges(nn.functional.linear(hidden, inputs[5]!, inputs[6]!) * envelope);
        Tensor messages = SenderRows.Apply(features, pairs) * filter;
        return [ReceiverSum.Apply(messages, pairs).MoveToOuterDisposeScope()];
    }
}
