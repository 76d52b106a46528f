using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Neighbours of a batch of frames. The tensors live until disposal.</summary>
public sealed class FrameEdges : IDisposable
{
    /// <param name="edges">Becomes this one's own.</param>
    /// <param name="shifts">(edges, 3) int32; null: nothing repeats.</param>
    /// <param name="shiftVectors">(edges, 3) A, float64; null: nothing repeats.</param>
    internal FrameEdges(EdgeList edges, Tensor? shifts, Tensor? shiftVectors)
    {
        Edges = edges;
        Shifts = shifts?.DetachFromDisposeScope();
        ShiftVectors = shiftVectors?.DetachFromDisposeScope();
    }

    /// <summary>Rows by receiver, each sorted by sender and then by shift, reverse edges known.</summary>
    public EdgeList Edges { get; }

    /// <summary>(edges, 3) int32: whole lattice vectors by which the sender is moved; null where no frame repeats.</summary>
    public Tensor? Shifts { get; }

    /// <summary>(edges, 3) A, float64: their sum; null where no frame repeats.</summary>
    public Tensor? ShiftVectors { get; }

    public void Dispose()
    {
        Edges.Dispose();
        Shifts?.Dispose();
        ShiftVectors?.Dispose();
    }
}
