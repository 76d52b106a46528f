using System.Buffers;
using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Forces;

/// <summary>
/// Frames as atoms and pairs of them nearer than a cutoff, each pair once for both directions: what passes without tensors work on. Atoms of a pair
/// are numbered within their frame; its vector runs from the first atom to the image meant of the second. Arrays may be longer than what is in them.
/// </summary>
internal sealed class FramePairs : IDisposable
{
    // Up to here all pairs of a molecule are tried.
    private const int FewAtoms = 512;

    private readonly double squaredCutoff;
    private int pairs, room;

    private FramePairs(int frames, int atoms, double cutoff)
    {
        squaredCutoff = cutoff * cutoff;
        AtomStarts = new int[frames + 1];
        PairStarts = new int[frames + 1];
        Numbers = ArrayPool<int>.Shared.Rent(Math.Max(1, atoms));
        Charges = new double[frames];
        Spins = new double[frames];
    }

    public int Frames => AtomStarts.Length - 1;

    public int Atoms => AtomStarts[^1];

    /// <summary>(frames + 1)</summary>
    public int[] AtomStarts { get; }

    /// <summary>(frames + 1)</summary>
    public int[] PairStarts { get; }

    /// <summary>(atoms) atomic numbers</summary>
    public int[] Numbers { get; }

    /// <summary>(frames) e</summary>
    public double[] Charges { get; }

    /// <summary>(frames) unpaired electrons</summary>
    public double[] Spins { get; }

    /// <summary>(pairs)</summary>
    public int[] First { get; private set; } = [];

    /// <summary>(pairs)</summary>
    public int[] Second { get; private set; } = [];

    /// <summary>(pairs, 3) A</summary>
    public double[] Vectors { get; private set; } = [];

    /// <param name="frames">Stay the caller's.</param>
    /// <param name="cutoff">A; infinite, where no frame is periodic: every pair</param>
    /// <param name="lists">(frames) Lists of that cutoff that follow each frame; null: they are made.</param>
    /// <exception cref="InputException">A frame whose atoms or cell allow no neighbour list.</exception>
    public static FramePairs Of(IReadOnlyList<Frame> frames, double cutoff, IReadOnlyList<VerletList>? lists = null)
    {
        int atoms = 0;
        foreach (Frame frame in frames) atoms += frame.Atoms;
        var all = new FramePairs(frames.Count, atoms, cutoff);
        try
        {
            for (int f = 0; f < frames.Count; f++)
            {
                Frame frame = frames[f];
                if (frame.Positions.Length != 3 * frame.Atoms) throw new ArgumentException($"{frame.Positions.Length} coordinates of {frame.Atoms} atoms");
                frame.AtomicNumbers.CopyTo(all.Numbers, all.AtomStarts[f]);
                (all.Charges[f], all.Spins[f]) = (frame.Charge, frame.Spin);
                if (!frame.IsPeriodic && (frame.Atoms <= FewAtoms || double.IsInfinity(cutoff))) all.AddMolecule(frame);
                else all.AddListed(frame, lists?[f] ?? new VerletList(cutoff, 0));
                all.AtomStarts[f + 1] = all.AtomStarts[f] + frame.Atoms;
                all.PairStarts[f + 1] = all.pairs;
            }
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    /// <summary>Of a graph on the CPU. Edges beyond the cutoff are left out.</summary>
    /// <param name="edges">Those of frames one after another.</param>
    /// <param name="positions">(atoms, 3) A, float64</param>
    /// <param name="shiftVectors">(edges, 3) A, float64; null: none.</param>
    /// <param name="numbers">(atoms) int64</param>
    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="cutoff">A</param>
    /// <returns>null where edges are not known to be pairs.</returns>
    public static FramePairs? Of(EdgeList edges, Tensor positions, Tensor? shiftVectors, Tensor numbers, IReadOnlyList<int> atomsPerFrame, double cutoff)
    {
        if (edges.ReverseEdges is null && edges.Count > 0) return null;
        using Tensor contiguous = positions.detach().contiguous();
        using TensorMemory starts = new(edges.RowStarts), from = new(edges.Senders), back = new(edges.ReverseEdges), at = new(contiguous);
        using TensorMemory shift = new(shiftVectors), elements = new(numbers);
        ReadOnlySpan<long> rows = MemoryMarshal.Cast<byte, long>(starts.Bytes), senders = MemoryMarshal.Cast<byte, long>(from.Bytes);
        ReadOnlySpan<long> reverse = MemoryMarshal.Cast<byte, long>(back.Bytes), atomic = MemoryMarshal.Cast<byte, long>(elements.Bytes);
        ReadOnlySpan<double> p = MemoryMarshal.Cast<byte, double>(at.Bytes), s = MemoryMarshal.Cast<byte, double>(shift.Bytes);
        var all = new FramePairs(atomsPerFrame.Count, edges.Atoms, cutoff);
        for (int i = 0; i < atomic.Length; i++) all.Numbers[i] = (int)atomic[i];
        for (int f = 0; f < atomsPerFrame.Count; f++)
        {
            int start = all.AtomStarts[f], end = start + atomsPerFrame[f];
            for (int i = start; i < end; i++)
            {
                for (int e = (int)rows[i]; e < rows[i + 1]; e++)
                {
                    int j = (int)senders[e], other = (int)reverse[e];
                    if (other == e || reverse[other] != e || senders[other] != i || other < rows[j] || other >= rows[j + 1] || j < start || j >= end)
                    {
                        all.Dispose();
                        return null;
                    }
                    if (e > other) continue;
                    double x = p[3 * j] - p[3 * i], y = p[3 * j + 1] - p[3 * i + 1], z = p[3 * j + 2] - p[3 * i + 2];
                    if (s.Length > 0) (x, y, z) = (x + s[3 * e], y + s[3 * e + 1], z + s[3 * e + 2]);
                    if (x * x + y * y + z * z < all.squaredCutoff) all.Add(i - start, j - start, x, y, z);
                }
            }
            all.AtomStarts[f + 1] = end;
            all.PairStarts[f + 1] = all.pairs;
        }
        return all;
    }

    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(Numbers);
        GiveBack();
        (First, Second, Vectors) = ([], [], []);
    }

    /// <summary>The same pairs, by the same arithmetic, as a neighbour list has.</summary>
    private void AddMolecule(Frame frame)
    {
        ReadOnlySpan<double> p = frame.Positions;
        int bad = p.IndexOfNonFinite();
        if (bad >= 0) throw Reach.NoNumber(frame.Place, bad, p[bad]);
        for (int i = 0; i < frame.Atoms; i++)
        {
            double xi = p[3 * i], yi = p[3 * i + 1], zi = p[3 * i + 2];
            for (int j = i + 1; j < frame.Atoms; j++)
            {
                double x = p[3 * j] - xi, y = p[3 * j + 1] - yi, z = p[3 * j + 2] - zi, squared = x * x + y * y + z * z;
                if (squared >= squaredCutoff) continue;
                if (squared < Reach.SamePoint) throw Reach.Collision(frame.Place, i, j);
                Add(i, j, x, y, z);
            }
        }
    }

    private void AddListed(Frame frame, VerletList list)
    {
        list.Follow(frame);
        ReadOnlySpan<double> p = frame.Positions, cell = frame.Cell ?? [];
        for (int pair = 0; pair < list.First.Length; pair++)
        {
            int i = list.First[pair], j = list.Second[pair];
            double x = p[3 * j] - p[3 * i], y = p[3 * j + 1] - p[3 * i + 1], z = p[3 * j + 2] - p[3 * i + 2];
            if (frame.IsPeriodic) VerletList.Shift(list.Shifts.AsSpan(3 * pair, 3), cell, ref x, ref y, ref z);
            double squared = x * x + y * y + z * z;
            if (squared >= squaredCutoff) continue;
            if (squared < Reach.SamePoint) throw Reach.Collision(frame.Place, i, j);
            Add(i, j, x, y, z);
        }
    }

    private void Add(int first, int second, double x, double y, double z)
    {
        if (pairs == room) Grow();
        First[pairs] = first;
        Second[pairs] = second;
        int at = 3 * pairs++;
        Vectors[at] = x;
        Vectors[at + 1] = y;
        Vectors[at + 2] = z;
    }

    private void Grow()
    {
        room = Math.Max(256, 2 * pairs);
        int[] first = ArrayPool<int>.Shared.Rent(room), second = ArrayPool<int>.Shared.Rent(room);
        double[] vectors = ArrayPool<double>.Shared.Rent(3 * room);
        First.AsSpan(0, pairs).CopyTo(first);
        Second.AsSpan(0, pairs).CopyTo(second);
        Vectors.AsSpan(0, 3 * pairs).CopyTo(vectors);
        GiveBack();
        (First, Second, Vectors) = (first, second, vectors);
    }

    private void GiveBack()
    {
        if (First.Length == 0) return;
        ArrayPool<int>.Shared.Return(First);
        ArrayPool<int>.Shared.Return(Second);
        ArrayPool<double>.Shared.Return(Vectors);
    }
}
