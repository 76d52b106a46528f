using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Vectors from receiver to sender: r_e = positions[sender] + shift - positions[receiver].</summary>
public static class EdgeVectors
{
    /// <param name="positions">(atoms, 3) A</param>
    /// <param name="edges">The edges.</param>
    /// <param name="shiftVectors">(edges, 3) A: the lattice vector to the sender's image; null: no periodicity.</param>
    /// <returns>(edges, 3) A</returns>
    public static Tensor Apply(Tensor positions, EdgeList edges, Tensor? shiftVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = positions.index_select(0, edges.Senders) - positions.index_select(0, edges.Receivers);
        if (shiftVectors is not null) vectors = vectors + shiftVectors;
        return vectors.MoveToOuterDisposeScope();
    }
}
