using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>What of a SpookyNet is no tensor.</summary>
/// <param name="Features">F</param>
/// <param name="Interactions">Modules.</param>
/// <param name="RadialFunctions">K</param>
/// <param name="RandomFeatures">m</param>
/// <param name="Cutoff">A: of local interactions and repulsion</param>
/// <param name="Electrostatics">Whether charges have an energy.</param>
/// <param name="ElectrostaticCutoff">A: where it ends; infinite: nowhere.</param>
/// <param name="Repulsion">Whether nuclei repel each other.</param>
internal sealed record SpookyNetSettings(
    int Features, int Interactions, int RadialFunctions, int RandomFeatures, double Cutoff, bool Electrostatics, double ElectrostaticCutoff, bool Repulsion)
{
    /// <summary>Inputs of the passes that are no weights: vectors, electrons, each module's directions.</summary>
    public int Fixed => 2 + Interactions;

    /// <summary>A: the switch from shielded to plain interaction spans the middle half of the local cutoff.</summary>
    public (double On, double Off) Switch => (Cutoff / 4, 3 * Cutoff / 4);
}

/// <summary>Frames and their pairs as passes take them: atoms and pairs of frames one after another. Arrays may be longer than what is in them.</summary>
/// <param name="AtomStarts">(frames + 1)</param>
/// <param name="PairStarts">(frames + 1)</param>
/// <param name="First">(pairs) atom that the pair's vector starts from, within its frame</param>
/// <param name="Second">(pairs) atom that it points to</param>
/// <param name="Numbers">(atoms) atomic numbers</param>
/// <param name="Charges">(frames) e</param>
/// <param name="Spins">(frames) unpaired electrons</param>
internal sealed record SpookyNetGraph(int[] AtomStarts, int[] PairStarts, int[] First, int[] Second, int[] Numbers, double[] Charges, double[] Spins)
{
    /// <summary>A larger frame is left to operations that share its atoms among threads.</summary>
    public const int LargestFrame = 512;

    private const int BlockAtoms = 64;

    // Gradients by weights are summed per share of the blocks, then over shares.
    private const int MostShares = 16;
    private const long MostShareBytes = 64 << 20;

    public int Frames => AtomStarts.Length - 1;

    public int Atoms => AtomStarts[^1];

    public int Pairs => PairStarts[^1];

    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="pairs">Of the frames, each of which stands for both directions.</param>
    /// <param name="numbers">(atoms) int64</param>
    /// <param name="charges">(frames) e, float64; null: zero</param>
    /// <param name="spins">(frames) unpaired electrons, float64; null: zero</param>
    /// <returns>null: a frame is too large, or not every edge is known to have its reverse.</returns>
    public static SpookyNetGraph? Of(IReadOnlyList<int> atomsPerFrame, PairList pairs, Tensor numbers, Tensor? charges, Tensor? spins)
    {
        int frames = atomsPerFrame.Count;
        if (pairs.TwoWay != pairs.Count) return null;
        foreach (int atoms in atomsPerFrame)
            if (atoms > LargestFrame) return null;
        int[] first = Integers(pairs.Receivers, pairs.Count), second = Integers(pairs.Senders, pairs.Count), atomStarts = new int[frames + 1], pairStarts = new int[frames + 1];
        int next = 0;
        for (int f = 0; f < frames; f++)
        {
            int start = atomStarts[f], end = atomStarts[f + 1] = start + atomsPerFrame[f];
            // Pairs come in the order of their receivers.
            for (; next < first.Length && first[next] < end; next++) (first[next], second[next]) = (first[next] - start, second[next] - start);
            pairStarts[f + 1] = next;
        }
        if (next != first.Length) throw new InvalidOperationException("pairs beyond the frames, or not in the order of their receivers");
        return new SpookyNetGraph(atomStarts, pairStarts, first, second, Integers(numbers, atomStarts[^1]), Doubles(charges, frames), Doubles(spins, frames));
    }

    /// <summary>Whole frames that go through the network together, by the data alone.</summary>
    /// <param name="alone">Whether each frame is a block: then what it gets depends on that frame alone.</param>
    public SpookyNetBlock[] Blocks(bool alone)
    {
        var blocks = new List<SpookyNetBlock>();
        for (int from = 0; from < Frames;)
        {
            int to = from + 1;
            while (!alone && to < Frames && AtomStarts[to + 1] - AtomStarts[from] <= BlockAtoms) to++;
            if (AtomStarts[to] > AtomStarts[from])
            {
                blocks.Add(new SpookyNetBlock(
                    from, to - from, AtomStarts[from], AtomStarts[to] - AtomStarts[from], PairStarts[from], PairStarts[to] - PairStarts[from]));
            }
            from = to;
        }
        return [.. blocks];
    }

    /// <summary>How many sums there are of gradients that take so many bytes.</summary>
    public static int Shares(int blocks, long bytes) => (int)Math.Clamp(MostShareBytes / Math.Max(bytes, 1), 1, Math.Clamp(blocks, 1, MostShares));

    private static int[] Integers(Tensor values, int count)
    {
        using Tensor contiguous = values.contiguous();
        using var memory = new TensorMemory(contiguous);
        ReadOnlySpan<long> from = MemoryMarshal.Cast<byte, long>(memory.Bytes);
        var to = new int[count];
        for (int i = 0; i < count; i++) to[i] = (int)from[i];
        return to;
    }

    /// <summary>(count) float64 numbers; of null zeros</summary>
    public static double[] Doubles(Tensor? values, int count)
    {
        if (values is null) return new double[count];
        using Tensor contiguous = values.contiguous();
        using var memory = new TensorMemory(contiguous);
        return MemoryMarshal.Cast<byte, double>(memory.Bytes).ToArray();
    }
}

/// <summary>Consecutive frames that go through the network together.</summary>
/// <param name="FirstFrame">Of the batch.</param>
/// <param name="Frames">How many.</param>
/// <param name="FirstAtom">Of the batch.</param>
/// <param name="Atoms">How many.</param>
/// <param name="FirstPair">Of the batch.</param>
/// <param name="Pairs">How many.</param>
internal readonly record struct SpookyNetBlock(int FirstFrame, int Frames, int FirstAtom, int Atoms, int FirstPair, int Pairs);

/// <summary>Frames as library operations take them. The tensors are the caller's, and outlive the graph.</summary>
/// <param name="AtomsPerFrame">(frames)</param>
/// <param name="Pairs">All of them.</param>
/// <param name="Numbers">(atoms) int64: atomic numbers</param>
/// <param name="FrameOfAtom">(atoms) int64</param>
/// <param name="Charges">(frames) e, float64; null: zero</param>
/// <param name="Spins">(frames) unpaired electrons, float64; null: zero</param>
internal sealed record SpookyNetFrames(IReadOnlyList<int> AtomsPerFrame, PairList Pairs, Tensor Numbers, Tensor FrameOfAtom, Tensor? Charges, Tensor? Spins);
