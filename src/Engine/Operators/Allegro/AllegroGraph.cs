using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Edges in the order of their receivers, cut into blocks of whole receivers by the data alone. An edge of Allegro depends on its receiver's other
/// edges and on nothing else, so that a block goes through the whole network by itself, in a core's cache, whatever the frame's size.
/// </summary>
internal sealed class AllegroGraph
{
    /// <summary>Edges of a block; a receiver with more is alone.</summary>
    public const int BlockEdges = 96;

    private const int MostShares = 16;
    private const long MostShareBytes = 24 << 20;

    /// <param name="rowStarts">(atoms + 1) the first edge of each receiver</param>
    /// <param name="senders">(edges)</param>
    /// <param name="elements">(atoms) place of the element among those of the model</param>
    /// <param name="bounds">Ascending atoms that a block does not reach across: where frames end, the last of them the number of atoms.</param>
    public AllegroGraph(int[] rowStarts, int[] senders, int[] elements, ReadOnlySpan<int> bounds)
    {
        (RowStarts, Senders, Elements) = (rowStarts, senders, elements);
        var blocks = new List<ReceiverBlock>();
        int first = 0;
        foreach (int bound in bounds)
        {
            while (first < bound)
            {
                int last = first + 1;
                while (last < bound && rowStarts[last + 1] - rowStarts[first] <= BlockEdges) last++;
                var block = new ReceiverBlock(first, last - first, rowStarts[first], rowStarts[last] - rowStarts[first]);
                if (block.Edges > 0) blocks.Add(block);
                first = last;
            }
        }
        Blocks = [.. blocks];
    }

    /// <summary>(atoms + 1)</summary>
    public int[] RowStarts { get; }

    /// <summary>(edges)</summary>
    public int[] Senders { get; }

    /// <summary>(atoms)</summary>
    public int[] Elements { get; }

    public int Atoms => Elements.Length;

    public int Edges => Senders.Length;

    /// <summary>Atoms without edges are in none, or among others.</summary>
    public ReceiverBlock[] Blocks { get; }

    public static AllegroGraph Of(EdgeList edges, AllegroAtoms atoms)
    {
        using Tensor elements = atoms.Elements();
        return new AllegroGraph(Numbers(edges.RowStarts), Numbers(edges.Senders), Numbers(elements), [edges.Atoms]);
    }

    /// <summary>How many sums there are of gradients that take so many bytes.</summary>
    public int Shares(long bytes) => (int)Math.Clamp(MostShareBytes / Math.Max(bytes, 1), 1, Math.Clamp(Blocks.Length, 1, MostShares));

    private static int[] Numbers(Tensor indices)
    {
        using Tensor contiguous = indices.contiguous();
        using var memory = new TensorMemory(contiguous);
        ReadOnlySpan<long> from = MemoryMarshal.Cast<byte, long>(memory.Bytes);
        var values = new int[from.Length];
        for (int i = 0; i < values.Length; i++) values[i] = (int)from[i];
        return values;
    }
}

/// <summary>Receivers that go through the network together, with all their edges.</summary>
/// <param name="FirstAtom">The first receiver.</param>
/// <param name="Atoms">How many.</param>
/// <param name="FirstEdge">The first of their edges.</param>
/// <param name="Edges">How many.</param>
internal readonly record struct ReceiverBlock(int FirstAtom, int Atoms, int FirstEdge, int Edges);
