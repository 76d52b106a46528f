using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>One direction of the pairs of a chunk.</summary>
/// <param name="Senders">(chunk) int64</param>
/// <param name="Receivers">(chunk) int64</param>
/// <param name="Reversed">Whether a pair's vector is to be negated.</param>
internal sealed record PairWay(Tensor Senders, Tensor Receivers, bool Reversed);

/// <summary>Consecutive pairs of a list, and the one or two directions they stand for.</summary>
internal sealed record PairChunk(long Start, long Count, PairWay[] Ways) : IDisposable
{
    /// <param name="values">(pairs, ...)</param>
    /// <returns>(chunk, ...), a view</returns>
    public Tensor Of(Tensor values) => values.narrow(0, Start, Count);

    public void Dispose()
    {
        Ways[0].Senders.Dispose();
        Ways[0].Receivers.Dispose();
    }
}
