namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// A list that reaches a skin beyond the cutoff and serves atoms in motion until one could have come through it (Verlet, Phys. Rev. 159, 98
/// (1967)): what is nearer than the cutoff of it is, to the bit and in the same order, what a fresh list has. One thread at a time.
/// </summary>
/// <param name="cutoff">A, finite</param>
/// <param name="skin">A; 0: made anew each time.</param>
internal sealed class VerletList(double cutoff, double skin)
{
    // Distances round.
    private const double Margin = 1 + 1e-9;

    private NeighborList? wide;
    private double[] positions = [];
    private double[]? cell;
    private bool[] periodic = [];

    /// <summary>A</summary>
    public double Cutoff => cutoff;

    /// <summary>Lists made so far.</summary>
    public long Builds { get; private set; }

    /// <summary>Each pair once, the sender being the later atom or the later image: (pairs) receivers.</summary>
    public int[] First { get; private set; } = [];

    /// <summary>(pairs) senders</summary>
    public int[] Second { get; private set; } = [];

    /// <summary>(pairs, 3) whole lattice vectors by which the sender is moved</summary>
    public int[] Shifts { get; private set; } = [];

    /// <summary>Makes the list, and its pairs, anew where atoms or cell have moved too far.</summary>
    /// <exception cref="InputException">Atoms or a cell that allow no neighbour list.</exception>
    public void Follow(Frame frame)
    {
        if (wide is not null && Holds(frame)) return;
        wide?.Dispose();
        wide = null;
        wide = NeighborLists.Build(frame, cutoff + skin);
        (positions, cell, periodic) = (frame.Positions, frame.Cell, frame.Periodic);
        Builds++;
        ReadOnlySpan<int> rowStarts = wide.RowStarts, senders = wide.Senders, all = wide.Shifts;
        // Of the two directions of a pair one.
        (First, Second, Shifts) = (new int[wide.Edges / 2], new int[wide.Edges / 2], new int[wide.Edges / 2 * 3]);
        int pair = 0;
        for (int i = 0; i < wide.Atoms; i++)
        {
            for (int e = rowStarts[i]; e < rowStarts[i + 1]; e++)
            {
                int j = senders[e], a = all[3 * e], b = all[3 * e + 1], c = all[3 * e + 2];
                if (j < i || (j == i && (a < 0 || (a == 0 && (b < 0 || (b == 0 && c < 0)))))) continue;
                (First[pair], Second[pair]) = (i, j);
                (Shifts[3 * pair], Shifts[3 * pair + 1], Shifts[3 * pair + 2]) = (a, b, c);
                pair++;
            }
        }
    }

    /// <summary>What <see cref="NeighborLists"/> would make of the frame.</summary>
    /// <exception cref="InputException">Atoms or a cell that allow no neighbour list.</exception>
    public NeighborList Of(Frame frame)
    {
        Follow(frame);
        ReadOnlySpan<double> p = frame.Positions, c = frame.Cell ?? [];
        ReadOnlySpan<int> wideStarts = wide!.RowStarts, wideSenders = wide.Senders, all = wide.Shifts;
        int[] rowStarts = new int[frame.Atoms + 1], senders = GC.AllocateUninitializedArray<int>(wide.Edges);
        int[] shifts = GC.AllocateUninitializedArray<int>(frame.IsPeriodic ? all.Length : 0);
        int edges = 0;
        for (int i = 0; i < frame.Atoms; i++)
        {
            for (int e = wideStarts[i]; e < wideStarts[i + 1]; e++)
            {
                int j = wideSenders[e];
                double x = p[3 * j] - p[3 * i], y = p[3 * j + 1] - p[3 * i + 1], z = p[3 * j + 2] - p[3 * i + 2];
                if (frame.IsPeriodic) Shift(all.Slice(3 * e, 3), c, ref x, ref y, ref z);
                double squared = x * x + y * y + z * z;
                if (squared >= cutoff * cutoff) continue;
                if (squared < Reach.SamePoint) throw Reach.Collision(frame.Place, i, j);
                if (frame.IsPeriodic) all.Slice(3 * e, 3).CopyTo(shifts.AsSpan(3 * edges));
                senders[edges++] = j;
            }
            rowStarts[i + 1] = edges;
        }
        return new NeighborList(cutoff, rowStarts, senders[..edges], frame.IsPeriodic ? shifts[..(3 * edges)] : null);
    }

    /// <summary>Adds whole lattice vectors, as every list does.</summary>
    public static void Shift(ReadOnlySpan<int> n, ReadOnlySpan<double> cell, ref double x, ref double y, ref double z)
    {
        x += n[0] * cell[0] + n[1] * cell[3] + n[2] * cell[6];
        y += n[0] * cell[1] + n[1] * cell[4] + n[2] * cell[7];
        z += n[0] * cell[2] + n[1] * cell[5] + n[2] * cell[8];
    }

    /// <summary>
    /// A pair that is not in the list was beyond cutoff and skin. The cell has since been deformed by F and an atom moved by u beside that: the pair is now
    /// at least as far apart as the least stretch of F leaves it, less both u.
    /// </summary>
    private bool Holds(Frame frame)
    {
        if (frame.Positions.Length != positions.Length || !frame.Periodic.AsSpan().SequenceEqual(periodic)) return false;
        if (ReferenceEquals(frame.Positions, positions) && ReferenceEquals(frame.Cell, cell)) return true;
        double[]? deformation = null;
        double least = 1;
        if (frame.Cell is { } now && frame.IsPeriodic && !now.AsSpan().SequenceEqual(cell))
        {
            if (cell is null || !periodic.AsSpan().SequenceEqual([true, true, true])) return false;
            deformation = CellGeometry.Product(CellGeometry.Inverse(cell), now);
            least = CellGeometry.LeastStretch(deformation);
        }
        double most = 0;
        for (int i = 0; i < positions.Length; i += 3)
        {
            double x = positions[i], y = positions[i + 1], z = positions[i + 2];
            if (deformation is { } f) (x, y, z) = (x * f[0] + y * f[3] + z * f[6], x * f[1] + y * f[4] + z * f[7], x * f[2] + y * f[5] + z * f[8]);
            (x, y, z) = (frame.Positions[i] - x, frame.Positions[i + 1] - y, frame.Positions[i + 2] - z);
            double squared = x * x + y * y + z * z;
            // A NaN must not pass.
            if (!(squared <= most)) most = squared;
        }
        return (cutoff + skin) * least - 2 * Math.Sqrt(most) >= cutoff * Margin;
    }
}
