using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Neighbours from nearby bins only: O(atoms) at a given density (Quentrec and Brot, J. Comput. Phys. 13, 430, 1973). Where the cell
/// is smaller than the cutoff, the same bin is met again in further images. Rows are counted, then filled, each by itself, and between the two
/// nothing is kept but a bit for each pair that was looked at: so threads share nothing, and edges are written once.
/// </summary>
internal static class LinkedCells
{
    private const int ChunkAtoms = 2048;

    public static NeighborList Build(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place, CancellationToken stop = default)
    {
        int atoms = positions.Length / 3;
        BinGrid grid = BinGrid.Of(positions, box, cutoff, place);
        double[] given = positions.ToArray();
        int[] rowStarts = new int[atoms + 1];
        BinRows[] chunks = new BinRows[(atoms + ChunkAtoms - 1) / ChunkAtoms];
        Over(chunks.Length, c =>
        {
            if (stop.IsCancellationRequested) return;
            chunks[c] = new BinRows(grid, box, given, cutoff, c * ChunkAtoms, Math.Min(atoms, (c + 1) * ChunkAtoms));
            chunks[c].Count(rowStarts);
        });
        stop.ThrowIfCancellationRequested();
        if (chunks.Min(c => c.Collision) is { } pair) throw Reach.Collision(place, pair.First, pair.Second);
        for (int i = 0; i < atoms; i++) rowStarts[i + 1] = checked(rowStarts[i + 1] + rowStarts[i]);
        int[] senders = GC.AllocateUninitializedArray<int>(rowStarts[^1]);
        int[]? shifts = box.Periodic.Contains(true) ? GC.AllocateUninitializedArray<int>(checked(3 * rowStarts[^1])) : null;
        Over(chunks.Length, c =>
        {
            if (!stop.IsCancellationRequested) chunks[c].Fill(rowStarts, senders, shifts);
        });
        stop.ThrowIfCancellationRequested();
        return new NeighborList(cutoff, rowStarts, senders, shifts);
    }

    /// <summary>One chunk needs no library of threads.</summary>
    private static void Over(int chunks, Action<int> body)
    {
        if (chunks > 1) TorchThreads.For(chunks, body);
        else if (chunks == 1) body(0);
    }
}

/// <summary>Finds the rows of a part of the atoms of a <see cref="BinGrid"/>, a bit for each atom that is looked at. One thread each.</summary>
/// <param name="grid">The atoms.</param>
/// <param name="box">Theirs.</param>
/// <param name="positions">(atoms, 3) Angstrom, as given.</param>
/// <param name="cutoff">Angstrom</param>
/// <param name="from">First of <see cref="BinGrid.Order"/>.</param>
/// <param name="to">Behind the last.</param>
internal sealed unsafe class BinRows(BinGrid grid, PeriodicBox box, double[] positions, double cutoff, int from, int to)
{
    private const int Lanes = BinGrid.Padding;

    // Pairs so near are looked at one by one: an atom itself, and atoms at one point.
    private const double Tiny = 1e-6;

    private readonly BinRuns runs = new(grid, box);
    private readonly double near = cutoff * cutoff * Reach.Margin;
    private readonly double sure = grid.IsExact ? cutoff * cutoff * (2 - Reach.Margin) : 0;
    private byte[] found = [];

    /// <summary>The first two atoms at one point, where there are any.</summary>
    public (int First, int Second)? Collision { get; private set; }

    /// <param name="counts">(atoms + 1) Written: at i + 1 the edges of atom i.</param>
    public void Count(int[] counts)
    {
        int used = 0;
        for (int slot = from; slot < to; slot++)
        {
            runs.Around(grid.Bins[slot]);
            if (used + runs.Vectors > found.Length) Array.Resize(ref found, Math.Max(2 * found.Length, (to - from) * runs.Vectors));
            counts[grid.Order[slot] + 1] = Find(slot, found.AsSpan(used, runs.Vectors));
            used += runs.Vectors;
        }
    }

    /// <param name="rowStarts">(atoms + 1)</param>
    /// <param name="senders">(edges) Written.</param>
    /// <param name="shifts">(edges, 3) Written; null where nothing repeats.</param>
    public void Fill(int[] rowStarts, int[] senders, int[]? shifts)
    {
        int used = 0, longest = 0;
        for (int slot = from; slot < to; slot++) longest = Math.Max(longest, rowStarts[grid.Order[slot] + 1] - rowStarts[grid.Order[slot]]);
        long[] unordered = new long[longest + Lanes], ordered = new long[longest];
        fixed (long* keys = unordered)
        {
            for (int slot = from; slot < to; slot++)
            {
                int receiver = grid.Order[slot], start = rowStarts[receiver];
                runs.Around(grid.Bins[slot]);
                Span<long> row = ordered.AsSpan(0, rowStarts[receiver + 1] - start);
                Keys(found.AsSpan(used, runs.Vectors), keys);
                used += runs.Vectors;
                RowSort.Sort(keys, row);
                Write(receiver, row, senders.AsSpan(start, row.Length), shifts is null ? default : shifts.AsSpan(3 * start, 3 * row.Length));
            }
        }
    }

    private void Write(int receiver, ReadOnlySpan<long> row, Span<int> senders, Span<int> shifts)
    {
        for (int e = 0; e < senders.Length; e++) senders[e] = Edge.Sender(row[e]);
        if (shifts.IsEmpty) return;
        for (int e = 0; e < row.Length; e++)
        {
            Span<int> shift = shifts.Slice(3 * e, 3);
            (shift[0], shift[1], shift[2]) = Edge.Shift(row[e]);
        }
        if (!grid.HasOutside) return;
        ReadOnlySpan<int> cells = box.Cells;
        for (int e = 0; e < row.Length; e++)
            for (int k = 0; k < 3; k++) shifts[3 * e + k] += cells[3 * receiver + k] - cells[3 * senders[e] + k];
    }

    /// <summary>Marks the neighbours of an atom among those of the runs of its bin, and counts them.</summary>
    private int Find(int slot, Span<byte> marks)
    {
        int count = 0, mark = 0;
        fixed (double* xs = grid.X, ys = grid.Y, zs = grid.Z)
        {
            foreach (ref readonly BinRun run in runs.All)
            {
                double x = xs[slot] - run.X, y = ys[slot] - run.Y, z = zs[slot] - run.Z;
                for (int at = run.Start; at < run.End; at += Lanes)
                {
                    Vector512<double> squared = PairLanes.Squared(xs + at, ys + at, zs + at, x, y, z);
                    uint behind = run.End - at < Lanes ? (1u << (run.End - at)) - 1 : byte.MaxValue;
                    uint bits = behind & (uint)Vector512.LessThan(squared, Vector512.Create(near)).ExtractMostSignificantBits();
                    uint doubtful = bits & (uint)(Vector512.LessThan(squared, Vector512.Create(Tiny))
                        | Vector512.GreaterThanOrEqual(squared, Vector512.Create(sure))).ExtractMostSignificantBits();
                    for (; doubtful != 0; doubtful &= doubtful - 1)
                    {
                        int lane = BitOperations.TrailingZeroCount(doubtful);
                        if (!IsEdge(slot, at + lane, run)) bits &= ~(1u << lane);
                    }
                    marks[mark++] = (byte)bits;
                    count += BitOperations.PopCount(bits);
                }
            }
        }
        return count;
    }

    private void Keys(ReadOnlySpan<byte> marks, long* keys)
    {
        int mark = 0;
        fixed (int* order = grid.Order)
        {
            foreach (ref readonly BinRun run in runs.All)
            {
                long image = run.Image;
                for (int at = run.Start; at < run.End; at += Lanes)
                    for (uint bits = marks[mark++]; bits != 0; bits &= bits - 1) *keys++ = Edge.Pack(order[at + BitOperations.TrailingZeroCount(bits)], image);
            }
        }
    }

    /// <summary>By the distance between positions as given, which decides.</summary>
    private bool IsEdge(int slot, int otherSlot, in BinRun run)
    {
        if (slot == otherSlot && (run.A | run.B | run.C) == 0) return false;
        int i = grid.Order[slot], j = grid.Order[otherSlot];
        int[] cells = box.Cells;
        double squared = box.SquaredDistance(
            positions,
            i,
            j,
            run.A + cells[3 * i] - cells[3 * j],
            run.B + cells[3 * i + 1] - cells[3 * j + 1],
            run.C + cells[3 * i + 2] - cells[3 * j + 2]);
        if (squared >= cutoff * cutoff) return false;
        if (squared < Reach.SamePoint && (Collision is not { } known || (i, j).CompareTo(known) < 0)) Collision = (i, j);
        return true;
    }
}

/// <summary>Orders the edges of a row.</summary>
internal static unsafe class RowSort
{
    /// <summary>Beyond this comparing all with all is slower.</summary>
    private const int MostRanked = 192;

    private const int Lanes = 8;

    /// <param name="keys">All different; readable up to a multiple of 8.</param>
    /// <param name="sorted">As many; written.</param>
    public static void Sort(long* keys, Span<long> sorted)
    {
        if (sorted.Length > MostRanked)
        {
            new ReadOnlySpan<long>(keys, sorted.Length).CopyTo(sorted);
            sorted.Sort();
            return;
        }
        // A key's place is the number of lesser ones.
        long* places = stackalloc long[Lanes];
        for (int first = 0; first < sorted.Length; first += Lanes)
        {
            Vector512<long> own = Vector512.Load(keys + first), lesser = Vector512<long>.Zero;
            for (int k = 0; k < sorted.Length; k++) lesser -= Vector512.GreaterThan(own, Vector512.Create(keys[k]));
            lesser.Store(places);
            for (int lane = 0; lane < Math.Min(Lanes, sorted.Length - first); lane++) sorted[(int)places[lane]] = keys[first + lane];
        }
    }
}
