using System.Buffers;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// All directed pairs of atoms closer than a cutoff, as compressed rows by receiving atom: edges RowStarts[i] to RowStarts[i + 1] end at
/// atom i, sorted by sender and then by shift. Both directions of a pair are there, and an atom's own images where they are near enough.
/// The vector of an edge is <c>positions[sender] + shift . cell - positions[receiver]</c>, with positions as given, not wrapped.
/// </summary>
internal sealed class NeighborList : IDisposable
{
    private readonly NeighborArrays arrays;
    private int[]? receivers;
    private int[]? reverse;

    /// <param name="cutoff">Angstrom</param>
    /// <param name="rowStarts">(atoms + 1)</param>
    /// <param name="senders">(edges)</param>
    /// <param name="shifts">(edges, 3); null: all zero.</param>
    internal NeighborList(double cutoff, int[] rowStarts, int[] senders, int[]? shifts)
        : this(cutoff, new NeighborArrays(rowStarts, senders, shifts))
    {
    }

    /// <param name="cutoff">Angstrom</param>
    /// <param name="arrays">Become this one's.</param>
    internal NeighborList(double cutoff, NeighborArrays arrays) => (Cutoff, this.arrays) = (cutoff, arrays);

    /// <summary>Angstrom; pairs at this distance or beyond are absent.</summary>
    public double Cutoff { get; }

    public int Atoms => arrays.Atoms;

    public int Edges => arrays.Edges;

    /// <summary>(atoms + 1)</summary>
    public ArraySegment<int> RowStarts => arrays.RowStarts;

    /// <summary>(edges)</summary>
    public ArraySegment<int> Senders => arrays.Senders;

    /// <summary>(edges, 3) Whole lattice vectors by which the sender is moved; 0 in directions that do not repeat.</summary>
    public ArraySegment<int> Shifts => arrays.ShiftsOrZero;

    /// <summary>(edges) The row that each edge is in.</summary>
    public int[] Receivers => receivers ??= ExpandRows();

    /// <summary>(edges) Where the same pair stands the other way round: receiver and sender exchanged, shift negated.</summary>
    public ArraySegment<int> ReverseEdges => new(reverse ??= FindReverse(), 0, Edges);

    /// <summary>The same list in memory of its own and no more than it needs, for who keeps it; this one is disposed of.</summary>
    public NeighborList Keep()
    {
        if (!arrays.AreRented) return this;
        var kept = new NeighborList(Cutoff, [.. RowStarts], [.. Senders], arrays.Shifts.Array is null ? null : [.. Shifts]);
        Dispose();
        return kept;
    }

    /// <summary>Gives large arrays to the next list. Not needed, and only for who is sure that nobody else has this one.</summary>
    public void Dispose()
    {
        if (arrays.AreRented) NeighborArrays.Return(ref reverse);
        arrays.Dispose();
    }

    /// <summary>(edges, 3) Angstrom, from receiver to sender.</summary>
    /// <param name="positions">(atoms, 3) those the list was built from, or ones that have moved a little.</param>
    /// <param name="cell">(3, 3), or null where nothing repeats.</param>
    public double[] EdgeVectors(ReadOnlySpan<double> positions, double[]? cell)
    {
        double[] vectors = new double[3 * Edges];
        ReadOnlySpan<int> rowStarts = RowStarts, senders = Senders, shifts = cell is null ? default : Shifts;
        for (int receiver = 0; receiver < Atoms; receiver++)
        {
            for (int edge = rowStarts[receiver]; edge < rowStarts[receiver + 1]; edge++)
            {
                for (int k = 0; k < 3; k++)
                {
                    double value = positions[3 * senders[edge] + k] - positions[3 * receiver + k];
                    if (cell is not null)
                    {
                        value += shifts[3 * edge] * cell[k] + shifts[3 * edge + 1] * cell[3 + k] + shifts[3 * edge + 2] * cell[6 + k];
                    }
                    vectors[3 * edge + k] = value;
                }
            }
        }
        return vectors;
    }

    private int[] ExpandRows()
    {
        int[] receivers = new int[Edges];
        ReadOnlySpan<int> rowStarts = RowStarts;
        for (int i = 0; i < Atoms; i++) receivers.AsSpan(rowStarts[i]..rowStarts[i + 1]).Fill(i);
        return receivers;
    }

    /// <summary>
    /// Receivers come in rising order, and so do the senders within each row: row j meets its reverses in the order it holds them. Only
    /// the shifts of one pair come the other way round, since they are negated.
    /// </summary>
    private int[] FindReverse()
    {
        int[] reverse = arrays.AreRented ? NeighborArrays.Rent(Edges) : GC.AllocateUninitializedArray<int>(Edges), next = NeighborArrays.Rent(Atoms);
        ReadOnlySpan<int> rowStarts = RowStarts, senders = Senders;
        rowStarts[..^1].CopyTo(next);
        // Without images a pair is there once.
        if (arrays.Shifts.Array is null)
        {
            for (int edge = 0; edge < senders.Length; edge++) reverse[edge] = next[senders[edge]]++;
        }
        else for (int receiver = 0; receiver < Atoms; receiver++)
        {
            int rowEnd = rowStarts[receiver + 1];
            for (int first = rowStarts[receiver], end; first < rowEnd; first = end)
            {
                int sender = senders[first];
                for (end = first + 1; end < rowEnd && senders[end] == sender;) end++;
                int last = next[sender] + end - first - 1;
                for (int edge = first; edge < end; edge++) reverse[edge] = last - (edge - first);
                next[sender] = last + 1;
            }
        }
        NeighborArrays.Return(ref next!);
        return reverse;
    }
}

/// <summary>
/// The numbers of a list. Large arrays are those of lists that are disposed of: of the collector, 80 MB for 10^5 atoms, each page would be touched for
/// the first time with every list, which takes longer than finding it.
/// </summary>
internal sealed class NeighborArrays : IDisposable
{
    // Below, the collector has arrays that are in a cache; above, it has large ones, of fresh pages.
    private const int FewestRented = 1 << 14;

    private readonly bool periodic;
    private int[] rowStarts;
    private int[] senders;
    private int[]? shifts;

    /// <param name="atoms">Row starts are all zero, there is no edge yet.</param>
    /// <param name="periodic">Whether there shall be shifts.</param>
    public NeighborArrays(int atoms, bool periodic)
    {
        (Atoms, this.periodic) = (atoms, periodic);
        rowStarts = Rent(atoms + 1);
        RowStarts.AsSpan().Clear();
        senders = [];
        AreRented = true;
    }

    /// <param name="rowStarts">(atoms + 1)</param>
    /// <param name="senders">(edges)</param>
    /// <param name="shifts">(edges, 3); null: all zero.</param>
    public NeighborArrays(int[] rowStarts, int[] senders, int[]? shifts)
    {
        (this.rowStarts, this.senders, this.shifts, periodic) = (rowStarts, senders, shifts, shifts is not null);
        (Atoms, Edges) = (rowStarts.Length - 1, senders.Length);
    }

    public int Atoms { get; private set; }

    public int Edges { get; private set; }

    /// <summary>Whether the arrays may be larger than need be.</summary>
    public bool AreRented { get; }

    /// <summary>(atoms + 1)</summary>
    public ArraySegment<int> RowStarts => new(rowStarts, 0, Atoms + 1);

    /// <summary>(edges)</summary>
    public ArraySegment<int> Senders => new(senders, 0, Edges);

    /// <summary>(edges, 3); without an array where all are zero.</summary>
    public ArraySegment<int> Shifts => shifts is null ? default : new(shifts, 0, 3 * Edges);

    /// <summary>(edges, 3)</summary>
    public ArraySegment<int> ShiftsOrZero => new(shifts ??= new int[checked(3 * Edges)], 0, 3 * Edges);

    /// <summary>From numbers of edges, at 1 and further, to where rows start; makes room for the edges.</summary>
    public void Sum()
    {
        Span<int> starts = RowStarts;
        int sum = 0;
        for (int i = 1; i < starts.Length; i++) starts[i] = sum = checked(sum + starts[i]);
        Edges = sum;
        senders = Rent(sum);
        if (periodic) shifts = Rent(checked(3 * sum));
    }

    public void Dispose()
    {
        if (!AreRented) return;
        Return(ref rowStarts!);
        Return(ref senders!);
        Return(ref shifts);
        (rowStarts, senders, Atoms, Edges) = ([0], [], 0, 0);
    }

    /// <summary>At least so long, content undefined; exactly so long where that is not long.</summary>
    public static int[] Rent(int length) => length < FewestRented ? GC.AllocateUninitializedArray<int>(length) : ArrayPool<int>.Shared.Rent(length);

    /// <summary>What <see cref="Rent"/> gave.</summary>
    public static void Return(ref int[]? array)
    {
        if (array is { Length: >= FewestRented }) ArrayPool<int>.Shared.Return(array);
        array = null;
    }
}

/// <summary>
/// An edge of a known receiver as one positive number whose order is that of a row: by sender, then by shift between wrapped atoms.
/// </summary>
internal static class Edge
{
    public const int ShiftBits = 10;

    private const int Bias = 1 << (ShiftBits - 1);
    private const int Mask = (1 << ShiftBits) - 1;

    public static long Pack(int sender, long image) => ((long)sender << (3 * ShiftBits)) | image;

    /// <summary>The shift's part of the number.</summary>
    public static long Image(int a, int b, int c) => ((long)(a + Bias) << (2 * ShiftBits)) | ((long)(b + Bias) << ShiftBits) | (long)(c + Bias);

    public static int Sender(long edge) => (int)(edge >> (3 * ShiftBits));

    public static (int A, int B, int C) Shift(long edge) =>
        ((int)(edge >> (2 * ShiftBits) & Mask) - Bias, (int)(edge >> ShiftBits & Mask) - Bias, (int)(edge & Mask) - Bias);
}
