using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ChemScale.Engine.Native;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Neighbours from nearby bins only: O(atoms) at a given density (Quentrec and Brot, J. Comput. Phys. 13, 430, 1973). Where the cell
/// is smaller than the cutoff, the same bin is met again in further images. Rows are counted, then filled, each by itself, and between the two
/// nothing is kept but a bit for each pair that was looked at: so threads share nothing, and edges are written once.
/// </summary>
internal static unsafe class LinkedCells
{
    private const int ChunkAtoms = 2048;

    public static NeighborList Build(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place, CancellationToken stop = default)
    {
        int atoms = positions.Length / 3;
        using BinGrid grid = BinGrid.Of(positions, box, cutoff, place);
        var keys = EdgeKeys.Of(atoms, grid, box);
        BinRows[] chunks = new BinRows[(atoms + ChunkAtoms - 1) / ChunkAtoms];
        NeighborArrays arrays = new(atoms, box.Periodic.Contains(true));
        fixed (double* given = positions)
        {
            nint first = (nint)given;
            try
            {
                Over(chunks.Length, c =>
                {
                    if (stop.IsCancellationRequested) return;
                    chunks[c] = new BinRows(grid, box, keys, (double*)first, cutoff, c * ChunkAtoms, Math.Min(atoms, (c + 1) * ChunkAtoms));
                    chunks[c].Count(arrays.RowStarts);
                });
                stop.ThrowIfCancellationRequested();
                if (chunks.Min(c => c.Collision) is { } pair) throw Reach.Collision(place, pair.First, pair.Second);
                arrays.Sum();
                Over(chunks.Length, c =>
                {
                    if (!stop.IsCancellationRequested) chunks[c].Fill(arrays);
                });
                stop.ThrowIfCancellationRequested();
            }
            finally
            {
                foreach (BinRows? chunk in chunks) chunk?.Dispose();
            }
        }
        return new NeighborList(cutoff, arrays);
    }

    /// <summary>One chunk needs no library of threads.</summary>
    private static void Over(int chunks, Action<int> body)
    {
        if (chunks > 1) TorchThreads.For(chunks, body);
        else if (chunks == 1) body(0);
    }
}

/// <summary>How edges of a row are told apart: in 32 bits, by sender and then by image, where both have room; else in 64.</summary>
/// <param name="Bits">Of the image; -1: 64 bits are needed.</param>
/// <param name="A">Images on either side along the first vector.</param>
/// <param name="B">Likewise.</param>
/// <param name="C">Likewise.</param>
/// <param name="Shifts">(images, 4) Three numbers each.</param>
internal sealed record EdgeKeys(int Bits, int A, int B, int C, int[] Shifts)
{
    private const int MostImages = 1 << 12;

    public static EdgeKeys Of(int atoms, BinGrid grid, PeriodicBox box)
    {
        int[] reach = [.. Enumerable.Range(0, 3).Select(k => box.Periodic[k] ? (grid.Range[k] + grid.Counts[k] - 1) / grid.Counts[k] : 0)];
        long images = (2L * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1);
        int bits = BitOperations.Log2((ulong)(2 * images - 1));
        if (images > MostImages || (long)atoms << bits > int.MaxValue) return new EdgeKeys(-1, 0, 0, 0, []);
        int[] shifts = new int[4 << bits];
        int at = 0;
        for (int a = -reach[0]; a <= reach[0]; a++)
            for (int b = -reach[1]; b <= reach[1]; b++)
                for (int c = -reach[2]; c <= reach[2]; c++, at += 4) (shifts[at], shifts[at + 1], shifts[at + 2]) = (a, b, c);
        return new EdgeKeys(bits, reach[0], reach[1], reach[2], shifts);
    }

    /// <summary>In the order of shifts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Image(in BinRun run) => ((run.A + A) * (2 * B + 1) + run.B + B) * (2 * C + 1) + run.C + C;
}

/// <summary>Finds the rows of a part of the atoms of a <see cref="BinGrid"/>, a bit for each atom that is looked at. One thread each.</summary>
/// <param name="grid">The atoms.</param>
/// <param name="box">Theirs.</param>
/// <param name="edges">How edges are told apart.</param>
/// <param name="positions">(atoms, 3) Angstrom, as given.</param>
/// <param name="cutoff">Angstrom</param>
/// <param name="from">First of <see cref="BinGrid.Order"/>.</param>
/// <param name="to">Behind the last.</param>
internal sealed unsafe class BinRows(BinGrid grid, PeriodicBox box, EdgeKeys edges, double* positions, double cutoff, int from, int to) : IDisposable
{
    private const int Lanes = BinGrid.Padding;

    private readonly BinRuns runs = new(grid, box, cutoff);
    private readonly double* positions = positions;
    private byte[] found = [];
    private int longest;

    /// <summary>The first two atoms at one point, where there are any.</summary>
    public (int First, int Second)? Collision { get; private set; }

    /// <param name="counts">(atoms + 1) Written: at i + 1 the edges of atom i.</param>
    public void Count(Span<int> counts)
    {
        int used = 0;
        for (int slot = from; slot < to; slot++)
        {
            runs.Around(grid.Bins[slot]);
            if (used + runs.Vectors > found.Length) Grow(used);
            int count = float.IsFinite(grid.Near) ? Find(slot, found.AsSpan(used, runs.Vectors)) : FindFar(slot, found.AsSpan(used, runs.Vectors));
            counts[grid.Order[slot] + 1] = count;
            longest = Math.Max(longest, count);
            used += runs.Vectors;
        }
    }

    /// <param name="arrays">Row starts are read, senders and shifts written.</param>
    public void Fill(NeighborArrays arrays)
    {
        // A vector may be written behind the last key, and four read.
        using Workspace memory = Workspace.Rent(2 * Workspace.Size<long>(longest + RowSort.Room));
        long* keys = memory.Take<long>(longest + RowSort.Room), sorted = memory.Take<long>(longest + RowSort.Room);
        ReadOnlySpan<int> rowStarts = arrays.RowStarts;
        int used = 0;
        fixed (int* senders = arrays.Senders.AsSpan(), shifts = arrays.Shifts.AsSpan(), table = edges.Shifts)
        fixed (byte* places = RowSort.Places)
        {
            for (int slot = from; slot < to; slot++)
            {
                int receiver = grid.Order[slot], start = rowStarts[receiver], count = rowStarts[receiver + 1] - start;
                runs.Around(grid.Bins[slot]);
                ReadOnlySpan<byte> marks = found.AsSpan(used, runs.Vectors);
                used += runs.Vectors;
                int* shift = shifts is null ? null : shifts + 3L * start;
                if (edges.Bits >= 0)
                {
                    Keys(marks, (int*)keys, places);
                    RowSort.Sort((int*)keys, (int*)sorted, count);
                    Write((int*)sorted, count, senders + start, shift, table);
                }
                else
                {
                    WideKeys(marks, keys);
                    var row = new Span<long>(keys, count);
                    row.Sort();
                    WriteWide(row, senders + start, shift);
                }
                if (shifts is not null && grid.HasOutside) Move(receiver, senders + start, new Span<int>(shift, 3 * count));
            }
        }
    }

    public void Dispose()
    {
        if (found.Length > 0) ArrayPool<byte>.Shared.Return(found);
        found = [];
    }

    private void Grow(int used)
    {
        byte[] more = ArrayPool<byte>.Shared.Rent(Math.Max(2 * found.Length, (to - from) * runs.Vectors));
        found.AsSpan(0, used).CopyTo(more);
        Dispose();
        found = more;
    }

    /// <summary>Marks the neighbours of an atom among those of the runs of its bin, and counts them.</summary>
    private int Find(int slot, Span<byte> marks)
    {
        int count = 0, mark = 0;
        float* xs = grid.X, ys = grid.Y, zs = grid.Z;
        Vector256<float> near = Vector256.Create(grid.Near), sure = Vector256.Create(grid.Sure), tiny = Vector256.Create(grid.Tiny);
        foreach (ref readonly BinRun run in runs.All)
        {
            Vector256<float> x = Vector256.Create(xs[slot] - run.X), y = Vector256.Create(ys[slot] - run.Y), z = Vector256.Create(zs[slot] - run.Z);
            for (int at = run.Start; at < run.End; at += Lanes)
            {
                Vector256<float> dx = Vector256.Load(xs + at) - x, dy = Vector256.Load(ys + at) - y, dz = Vector256.Load(zs + at) - z;
                Vector256<float> squared = dx * dx + dy * dy + dz * dz;
                uint bits = Vector256.LessThan(squared, near).ExtractMostSignificantBits() & (uint)(byte.MaxValue >> Math.Max(0, Lanes - (run.End - at)));
                uint doubtful = bits & (Vector256.LessThan(squared, tiny) | Vector256.GreaterThanOrEqual(squared, sure)).ExtractMostSignificantBits();
                if (doubtful != 0) bits = Decide(slot, at, run, bits, doubtful);
                marks[mark++] = (byte)bits;
                count += BitOperations.PopCount(bits);
            }
        }
        return count;
    }

    /// <summary>The same where distances between wrapped positions say nothing.</summary>
    private int FindFar(int slot, Span<byte> marks)
    {
        int count = 0, mark = 0;
        foreach (ref readonly BinRun run in runs.All)
        {
            for (int at = run.Start; at < run.End; at += Lanes)
            {
                uint all = (uint)(byte.MaxValue >> Math.Max(0, Lanes - (run.End - at))), bits = Decide(slot, at, run, all, all);
                marks[mark++] = (byte)bits;
                count += BitOperations.PopCount(bits);
            }
        }
        return count;
    }

    /// <summary>Of those that are marked, which are edges; the doubtful ones are looked at.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private uint Decide(int slot, int at, in BinRun run, uint bits, uint doubtful)
    {
        for (; doubtful != 0; doubtful &= doubtful - 1)
        {
            int lane = BitOperations.TrailingZeroCount(doubtful);
            if (!IsEdge(slot, at + lane, run)) bits &= ~(1u << lane);
        }
        return bits;
    }

    private void Keys(ReadOnlySpan<byte> marks, int* keys, byte* places)
    {
        int mark = 0, width = edges.Bits;
        int* order = grid.Order;
        foreach (ref readonly BinRun run in runs.All)
        {
            Vector256<int> image = Vector256.Create(edges.Image(run));
            for (int at = run.Start; at < run.End; at += Lanes)
            {
                uint bits = marks[mark++];
                RowSort.Pack((Vector256.Load(order + at) << width) | image, bits, keys, places);
                keys += BitOperations.PopCount(bits);
            }
        }
    }

    private void WideKeys(ReadOnlySpan<byte> marks, long* keys)
    {
        int mark = 0;
        foreach (ref readonly BinRun run in runs.All)
        {
            long image = run.Image;
            for (int at = run.Start; at < run.End; at += Lanes)
                for (uint bits = marks[mark++]; bits != 0; bits &= bits - 1) *keys++ = Edge.Pack(grid.Order[at + BitOperations.TrailingZeroCount(bits)], image);
        }
    }

    private void Write(int* row, int count, int* senders, int* shifts, int* table)
    {
        int e = 0, width = edges.Bits, mask = (1 << width) - 1;
        for (; e <= count - Lanes; e += Lanes) (Vector256.Load(row + e) >>> width).Store(senders + e);
        for (; e < count; e++) senders[e] = row[e] >>> width;
        if (shifts is null || count == 0) return;
        if (runs.AreInside)
        {
            new Span<int>(shifts, 3 * count).Clear();
            return;
        }
        // Each writes its successor's first number too, but the last, whose successor may be another thread's.
        for (e = 0; e < count - 1; e++) Vector128.Load(table + 4 * (row[e] & mask)).Store(shifts + 3 * e);
        int* last = table + 4 * (row[e] & mask);
        for (int k = 0; k < 3; k++) shifts[3 * e + k] = last[k];
    }

    private static void WriteWide(ReadOnlySpan<long> row, int* senders, int* shifts)
    {
        for (int e = 0; e < row.Length; e++)
        {
            senders[e] = Edge.Sender(row[e]);
            if (shifts is not null) (shifts[3 * e], shifts[3 * e + 1], shifts[3 * e + 2]) = Edge.Shift(row[e]);
        }
    }

    /// <summary>From shifts between wrapped atoms to shifts between atoms as given.</summary>
    private void Move(int receiver, int* senders, Span<int> shifts)
    {
        ReadOnlySpan<int> cells = box.Cells;
        ReadOnlySpan<int> own = cells.Slice(3 * receiver, 3);
        for (int e = 0; 3 * e < shifts.Length; e++)
        {
            ReadOnlySpan<int> others = cells.Slice(3 * senders[e], 3);
            for (int k = 0; k < 3; k++) shifts[3 * e + k] += own[k] - others[k];
        }
    }

    /// <summary>By the distance between positions as given, which decides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool IsEdge(int slot, int otherSlot, in BinRun run)
    {
        if (slot == otherSlot && (run.A | run.B | run.C) == 0) return false;
        int i = grid.Order[slot], j = grid.Order[otherSlot];
        int[] cells = box.Cells;
        double squared = box.SquaredDistance(
            new ReadOnlySpan<double>(positions, 3 * grid.Atoms),
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

    private const int Lanes = 8, Group = 4 * Lanes;

    /// <summary>What may be read, or written, behind the last key.</summary>
    public const int Room = Group;

    /// <summary>(256, 8) For each byte, where its bits are set.</summary>
    public static readonly byte[] Places = [.. Enumerable.Range(0, 256).SelectMany(bits =>
        Enumerable.Range(0, Lanes).Where(lane => (bits >> lane & 1) != 0).Concat(Enumerable.Repeat(0, Lanes)).Take(Lanes)).Select(lane => (byte)lane)];

    /// <summary>Writes those of eight whose bits are set, one after another, and something behind them, eight in all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack(Vector256<int> values, uint bits, int* to, byte* places)
    {
        if (Avx2.IsSupported)
        {
            Avx2.PermuteVar8x32(values, Avx2.ConvertToVector256Int32(places + Lanes * bits)).Store(to);
        }
        else
        {
            for (; bits != 0; bits &= bits - 1) *to++ = values[BitOperations.TrailingZeroCount(bits)];
        }
    }

    /// <param name="keys">All different, and none negative; readable, and changed, up to <see cref="Room"/> behind the last.</param>
    /// <param name="sorted">As many; written.</param>
    /// <param name="count">How many.</param>
    public static void Sort(int* keys, int* sorted, int count)
    {
        if (count > MostRanked)
        {
            new Span<int>(keys, count).CopyTo(new Span<int>(sorted, count));
            new Span<int>(sorted, count).Sort();
            return;
        }
        // A key's place is the number of lesser ones.
        int* places = stackalloc int[Group];
        for (int first = 0; first < count; first += Group)
        {
            Rank(keys, count, keys + first, places);
            int own = Math.Min(Group, count - first);
            for (int i = 0; i < own; i++) sorted[places[i]] = keys[first + i];
        }
    }

    private static void Rank(int* keys, int count, int* own, int* places)
    {
        Vector256<int> a = Vector256.Load(own), b = Vector256.Load(own + Lanes), c = Vector256.Load(own + 2 * Lanes), d = Vector256.Load(own + 3 * Lanes);
        Vector256<int> lessA = default, lessB = default, lessC = default, lessD = default;
        for (int k = 0; k < count; k++)
        {
            Vector256<int> key = Vector256.Create(keys[k]);
            lessA -= Vector256.GreaterThan(a, key);
            lessB -= Vector256.GreaterThan(b, key);
            lessC -= Vector256.GreaterThan(c, key);
            lessD -= Vector256.GreaterThan(d, key);
        }
        lessA.Store(places);
        lessB.Store(places + Lanes);
        lessC.Store(places + 2 * Lanes);
        lessD.Store(places + 3 * Lanes);
    }
}
