using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Neighbours from nearby bins only: O(atoms) at a given density (Quentrec and Brot, J. Comput. Phys. 13, 430, 1973). Where the cell
/// is smaller than the cutoff, the same bin is met again in further images. Rows are counted, then filled, each by itself: so threads
/// share nothing, and nothing is kept between the two but the counts.
/// </summary>
internal static class LinkedCells
{
    private const int ChunkAtoms = 2048;

    public static NeighborList Build(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        int atoms = positions.Length / 3, chunks = (atoms + ChunkAtoms - 1) / ChunkAtoms;
        BinGrid grid = BinGrid.Of(positions, box, cutoff, place);
        BinRows rows = new(grid, box, positions.ToArray(), cutoff);
        int[] rowStarts = new int[atoms + 1];
        (int First, int Second)?[] collisions = new (int, int)?[chunks];
        Over(chunks, c => collisions[c] = rows.Count(c * ChunkAtoms, Math.Min(atoms, (c + 1) * ChunkAtoms), rowStarts));
        if (collisions.Min() is { } pair) throw Reach.Collision(place, pair.First, pair.Second);
        for (int i = 0; i < atoms; i++) rowStarts[i + 1] = checked(rowStarts[i + 1] + rowStarts[i]);
        int[] senders = GC.AllocateUninitializedArray<int>(rowStarts[^1]);
        int[]? shifts = box.Periodic.Contains(true) ? GC.AllocateUninitializedArray<int>(checked(3 * rowStarts[^1])) : null;
        Over(chunks, c => rows.Fill(c * ChunkAtoms, Math.Min(atoms, (c + 1) * ChunkAtoms), rowStarts, senders, shifts));
        return new NeighborList(cutoff, rowStarts, senders, shifts);
    }

    /// <summary>One chunk needs no library of threads.</summary>
    private static void Over(int chunks, Action<int> body)
    {
        if (chunks > 1) TorchThreads.For(chunks, body);
        else if (chunks == 1) body(0);
    }
}

/// <summary>Finds the rows of atoms of a <see cref="BinGrid"/>. Threads may share one.</summary>
internal sealed unsafe class BinRows(BinGrid grid, PeriodicBox box, double[] positions, double cutoff)
{
    private const int Lanes = BinGrid.Padding;

    // Pairs so near are looked at one by one: an atom itself, and atoms at one point.
    private const double Tiny = 1e-6;

    private readonly double near = cutoff * cutoff * Reach.Margin;
    private readonly double sure = grid.IsExact ? cutoff * cutoff * (2 - Reach.Margin) : 0;

    /// <param name="from">First of <see cref="BinGrid.Order"/>.</param>
    /// <param name="to">Behind the last.</param>
    /// <param name="counts">(atoms + 1) Written: at i + 1 the edges of atom i.</param>
    /// <returns>The first two atoms at one point, if any are.</returns>
    public (int First, int Second)? Count(int from, int to, int[] counts)
    {
        BinRuns runs = new(grid, box);
        (int, int)? collision = null;
        for (int slot = from; slot < to; slot++)
        {
            runs.Around(grid.Bins[slot]);
            counts[grid.Order[slot] + 1] = Find(slot, runs, null, ref collision);
        }
        return collision;
    }

    /// <param name="from">First of <see cref="BinGrid.Order"/>.</param>
    /// <param name="to">Behind the last.</param>
    /// <param name="rowStarts">(atoms + 1)</param>
    /// <param name="senders">(edges) Written.</param>
    /// <param name="shifts">(edges, 3) Written; null where nothing repeats.</param>
    public void Fill(int from, int to, int[] rowStarts, int[] senders, int[]? shifts)
    {
        BinRuns runs = new(grid, box);
        (int, int)? none = null;
        int longest = 0;
        for (int slot = from; slot < to; slot++) longest = Math.Max(longest, rowStarts[grid.Order[slot] + 1] - rowStarts[grid.Order[slot]]);
        long[] found = new long[longest + Lanes], sorted = new long[longest];
        fixed (long* keys = found)
        {
            for (int slot = from; slot < to; slot++)
            {
                int receiver = grid.Order[slot], start = rowStarts[receiver];
                runs.Around(grid.Bins[slot]);
                Span<long> row = sorted.AsSpan(0, Find(slot, runs, keys, ref none));
                RowSort.Sort(keys, row);
                Write(receiver, row, senders.AsSpan(start, row.Length), shifts is null ? default : shifts.AsSpan(3 * start, 3 * row.Length));
            }
        }
    }

    private void Write(int receiver, ReadOnlySpan<long> row, Span<int> senders, Span<int> shifts)
    {
        ReadOnlySpan<int> cells = box.Cells;
        for (int e = 0; e < row.Length; e++) senders[e] = Edge.Sender(row[e]);
        if (shifts.IsEmpty) return;
        for (int e = 0; e < row.Length; e++)
            for (int k = 0; k < 3; k++) shifts[3 * e + k] = Edge.Shift(row[e], k);
        if (!grid.HasOutside) return;
        for (int e = 0; e < row.Length; e++)
            for (int k = 0; k < 3; k++) shifts[3 * e + k] += cells[3 * receiver + k] - cells[3 * senders[e] + k];
    }

    /// <param name="slot">Whose row.</param>
    /// <param name="runs">Of its bin.</param>
    /// <param name="keys">Room for the row; null: only counted.</param>
    /// <param name="collision">The first two atoms at one point.</param>
    private int Find(int slot, BinRuns runs, long* keys, ref (int First, int Second)? collision)
    {
        int count = 0;
        fixed (double* xs = grid.X, ys = grid.Y, zs = grid.Z)
        fixed (int* order = grid.Order)
        {
            foreach (ref readonly BinRun run in runs.All)
            {
                double x = xs[slot] - run.X, y = ys[slot] - run.Y, z = zs[slot] - run.Z;
                for (int at = run.Start; at < run.End; at += Lanes)
                {
                    Vector512<double> squared = PairLanes.Squared(xs + at, ys + at, zs + at, x, y, z);
                    uint bits = (uint)Vector512.LessThan(squared, Vector512.Create(near)).ExtractMostSignificantBits();
                    if (run.End - at < Lanes) bits &= (1u << (run.End - at)) - 1;
                    if (bits == 0) continue;
                    uint doubtful = bits & (uint)(Vector512.LessThan(squared, Vector512.Create(Tiny))
                        | Vector512.GreaterThanOrEqual(squared, Vector512.Create(sure))).ExtractMostSignificantBits();
                    for (; doubtful != 0; doubtful &= doubtful - 1)
                    {
                        int lane = BitOperations.TrailingZeroCount(doubtful);
                        if (!IsEdge(slot, at + lane, run, ref collision)) bits &= ~(1u << lane);
                    }
                    if (keys is null)
                    {
                        count += BitOperations.PopCount(bits);
                        continue;
                    }
                    for (; bits != 0; bits &= bits - 1) keys[count++] = Edge.Pack(order[at + BitOperations.TrailingZeroCount(bits)], run.Image);
                }
            }
        }
        return count;
    }

    /// <summary>By the distance between positions as given, which decides.</summary>
    private bool IsEdge(int slot, int otherSlot, in BinRun run, ref (int First, int Second)? collision)
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
        if (squared < Reach.SamePoint && (collision is not { } known || (i, j).CompareTo(known) < 0)) collision = (i, j);
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
