namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// All directed pairs of atoms closer than a cutoff, as compressed rows by receiving atom: edges RowStarts[i] to RowStarts[i + 1] end at
/// atom i, sorted by sender and then by shift. Both directions of a pair are there, and an atom's own images where they are near enough.
/// The vector of an edge is <c>positions[sender] + shift . cell - positions[receiver]</c>, with positions as given, not wrapped.
/// </summary>
internal sealed class NeighborList
{
    private int[]? receivers;
    private int[]? reverse;
    private int[]? shifts;

    /// <param name="cutoff">Angstrom</param>
    /// <param name="rowStarts">(atoms + 1)</param>
    /// <param name="senders">(edges)</param>
    /// <param name="shifts">(edges, 3); null: all zero.</param>
    internal NeighborList(double cutoff, int[] rowStarts, int[] senders, int[]? shifts)
    {
        Cutoff = cutoff;
        RowStarts = rowStarts;
        Senders = senders;
        this.shifts = shifts;
    }

    /// <summary>Angstrom; pairs at this distance or beyond are absent.</summary>
    public double Cutoff { get; }

    public int Atoms => RowStarts.Length - 1;

    public int Edges => Senders.Length;

    /// <summary>(atoms + 1)</summary>
    public int[] RowStarts { get; }

    /// <summary>(edges)</summary>
    public int[] Senders { get; }

    /// <summary>(edges, 3) Whole lattice vectors by which the sender is moved; 0 in directions that do not repeat.</summary>
    public int[] Shifts => shifts ??= new int[checked(3 * Edges)];

    /// <summary>(edges) The row that each edge is in.</summary>
    public int[] Receivers => receivers ??= ExpandRows();

    /// <summary>(edges) Where the same pair stands the other way round: receiver and sender exchanged, shift negated.</summary>
    public int[] ReverseEdges => reverse ??= FindReverse();

    /// <summary>(edges, 3) Angstrom, from receiver to sender.</summary>
    /// <param name="positions">(atoms, 3) those the list was built from, or ones that have moved a little.</param>
    /// <param name="cell">(3, 3), or null where nothing repeats.</param>
    public double[] EdgeVectors(ReadOnlySpan<double> positions, double[]? cell)
    {
        double[] vectors = new double[3 * Edges];
        for (int receiver = 0; receiver < Atoms; receiver++)
        {
            for (int edge = RowStarts[receiver]; edge < RowStarts[receiver + 1]; edge++)
            {
                for (int k = 0; k < 3; k++)
                {
                    double value = positions[3 * Senders[edge] + k] - positions[3 * receiver + k];
                    if (cell is not null)
                    {
                        value += Shifts[3 * edge] * cell[k] + Shifts[3 * edge + 1] * cell[3 + k] + Shifts[3 * edge + 2] * cell[6 + k];
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
        for (int i = 0; i < Atoms; i++) receivers.AsSpan(RowStarts[i]..RowStarts[i + 1]).Fill(i);
        return receivers;
    }

    /// <summary>
    /// Receivers come in rising order, and so do the senders within each row: row j meets its reverses in the order it holds them. Only
    /// the shifts of one pair come the other way round, since they are negated.
    /// </summary>
    private int[] FindReverse()
    {
        int[] reverse = new int[Edges];
        int[] next = RowStarts[..^1];
        for (int receiver = 0; receiver < Atoms; receiver++)
        {
            for (int first = RowStarts[receiver], end; first < RowStarts[receiver + 1]; first = end)
            {
                int sender = Senders[first];
                for (end = first + 1; end < RowStarts[receiver + 1] && Senders[end] == sender;) end++;
                int last = next[sender] + end - first - 1;
                for (int edge = first; edge < end; edge++) reverse[edge] = last - (edge - first);
                next[sender] = last + 1;
            }
        }
        return reverse;
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
