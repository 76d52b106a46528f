namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Atoms dropped into bins along the basis vectors of their box, each about as wide as the cutoff, and sorted by bin, so that a bin's
/// atoms stand together in memory.
/// </summary>
internal sealed class BinGrid
{
    /// <summary>More bins than this for each atom cost more than they save.</summary>
    private const int BinsPerAtom = 4;

    private readonly double[] origin = new double[3];
    private readonly double[] width = new double[3];

    private BinGrid(int atoms)
    {
        Order = new int[atoms];
        Wrapped = new double[3 * atoms];
        Bins = new int[atoms];
    }

    /// <summary>(3) Bins along each direction.</summary>
    public int[] Counts { get; } = new int[3];

    /// <summary>(3) How many bins on either side a cutoff reaches into.</summary>
    public int[] Range { get; } = new int[3];

    /// <summary>(bins + 1) Where the atoms of each bin start in <see cref="Order"/>.</summary>
    public int[] Starts { get; private set; } = [];

    /// <summary>(atoms) Atoms by bin.</summary>
    public int[] Order { get; }

    /// <summary>(atoms) The bin of each atom of <see cref="Order"/>.</summary>
    public int[] Bins { get; }

    /// <summary>(atoms, 3) Positions inside the cell, in that order.</summary>
    public double[] Wrapped { get; }

    public static BinGrid Of(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        BinGrid grid = new(positions.Length / 3);
        grid.Divide(positions, box, cutoff, place);
        grid.Fill(positions, box);
        return grid;
    }

    private void Divide(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        double[] heights = new double[3];
        for (int k = 0; k < 3; k++)
        {
            heights[k] = box.Periodic[k] ? CellGeometry.Height(box.Basis, k) : Extent(positions, box, k);
            Counts[k] = (int)Math.Clamp(Math.Floor(heights[k] / (cutoff * Reach.Margin)), 1, 1 << 20);
        }
        while ((double)Counts[0] * Counts[1] * Counts[2] > Math.Max(8.0, (double)BinsPerAtom * Order.Length))
        {
            int most = Array.IndexOf(Counts, Counts.Max());
            Counts[most] = Math.Max(1, Counts[most] / 2);
        }
        for (int k = 0; k < 3; k++)
        {
            width[k] = box.Periodic[k] ? 1.0 / Counts[k] : heights[k] / Counts[k];
            Range[k] = box.Periodic[k] ? Reach.Slabs(cutoff, heights[k] / Counts[k], place) : Math.Min(1, Counts[k] - 1);
        }
    }

    private double Extent(ReadOnlySpan<double> positions, PeriodicBox box, int direction)
    {
        double low = double.MaxValue, high = double.MinValue;
        for (int i = 0; i < positions.Length; i += 3)
        {
            double at = box.Coordinate(positions.Slice(i, 3), direction);
            low = Math.Min(low, at);
            high = Math.Max(high, at);
        }
        origin[direction] = low;
        return Math.Max(high - low, 0);
    }

    private void Fill(ReadOnlySpan<double> positions, PeriodicBox box)
    {
        int atoms = Order.Length;
        int[] bins = new int[atoms];
        Starts = new int[Counts[0] * Counts[1] * Counts[2] + 1];
        for (int i = 0; i < atoms; i++)
        {
            int bin = 0;
            for (int k = 0; k < 3; k++)
            {
                double at = box.Coordinate(positions.Slice(3 * i, 3), k) - origin[k] - box.Cells[3 * i + k];
                int slab = width[k] > 0 ? (int)Math.Clamp(at / width[k], 0, Counts[k] - 1) : 0;
                bin = bin * Counts[k] + slab;
            }
            bins[i] = bin;
            Starts[bin + 1]++;
        }
        for (int bin = 0; bin < Starts.Length - 1; bin++) Starts[bin + 1] += Starts[bin];
        int[] next = Starts[..^1];
        for (int i = 0; i < atoms; i++)
        {
            int slot = next[bins[i]]++;
            Order[slot] = i;
            Bins[slot] = bins[i];
            for (int k = 0; k < 3; k++)
            {
                Wrapped[3 * slot + k] = positions[3 * i + k];
                for (int d = 0; d < 3; d++) Wrapped[3 * slot + k] -= box.Cells[3 * i + d] * box.Basis[3 * d + k];
            }
        }
    }
}

/// <summary>Finds the rows of a run of atoms of a <see cref="BinGrid"/>. One thread each.</summary>
internal sealed class BinSearch(BinGrid grid, PeriodicBox box, double[] positions, double cutoff)
{
    private const int FirstCapacity = 1 << 12;

    private readonly List<int> ends = [];
    private readonly double near = cutoff * cutoff * Reach.Margin;
    private ulong[] edges = new ulong[FirstCapacity];
    private int count;

    /// <summary>Two atoms at one point, where there are any: no rows beyond.</summary>
    public (int First, int Second)? Collision { get; private set; }

    public int Rows => ends.Count;

    public ReadOnlySpan<ulong> Row(int index)
    {
        int start = index == 0 ? 0 : ends[index - 1];
        return edges.AsSpan(start, ends[index] - start);
    }

    /// <param name="from">First of <see cref="BinGrid.Order"/>.</param>
    /// <param name="to">Behind the last.</param>
    public void Run(int from, int to)
    {
        for (int slot = from; slot < to && Collision is null; slot++)
        {
            int start = count;
            Visit(slot);
            Array.Sort(edges, start, count - start);
            ends.Add(count);
        }
    }

    private void Visit(int slot)
    {
        int[] counts = grid.Counts, range = grid.Range;
        int bin = grid.Bins[slot];
        int z = bin % counts[2], y = bin / counts[2] % counts[1], x = bin / counts[2] / counts[1];
        for (int dx = -range[0]; dx <= range[0]; dx++)
        {
            if (!Image(x + dx, 0, out int binX, out int a)) continue;
            for (int dy = -range[1]; dy <= range[1]; dy++)
            {
                if (!Image(y + dy, 1, out int binY, out int b)) continue;
                for (int dz = -range[2]; dz <= range[2]; dz++)
                {
                    if (Image(z + dz, 2, out int binZ, out int c)) Compare(slot, (binX * counts[1] + binY) * counts[2] + binZ, a, b, c);
                }
            }
        }
    }

    /// <summary>Which bin this is, and in which image of the cell; false beyond the end of a direction that does not repeat.</summary>
    private bool Image(int index, int direction, out int bin, out int image)
    {
        int count = grid.Counts[direction];
        image = index >= 0 ? index / count : -((count - 1 - index) / count);
        bin = index - image * count;
        return image == 0 || box.Periodic[direction];
    }

    private void Compare(int slot, int bin, int a, int b, int c)
    {
        double[] basis = box.Basis;
        ReadOnlySpan<double> wrapped = grid.Wrapped;
        double x = wrapped[3 * slot] - (a * basis[0] + b * basis[3] + c * basis[6]);
        double y = wrapped[3 * slot + 1] - (a * basis[1] + b * basis[4] + c * basis[7]);
        double z = wrapped[3 * slot + 2] - (a * basis[2] + b * basis[5] + c * basis[8]);
        int start = grid.Starts[bin];
        ReadOnlySpan<double> others = wrapped[(3 * start)..(3 * grid.Starts[bin + 1])];
        for (int at = 0; at + 2 < others.Length; at += 3)
        {
            double dx = others[at] - x, dy = others[at + 1] - y, dz = others[at + 2] - z;
            if (dx * dx + dy * dy + dz * dz < near) Take(slot, start + at / 3, a, b, c);
        }
    }

    private void Take(int slot, int otherSlot, int a, int b, int c)
    {
        if (slot == otherSlot && (a | b | c) == 0) return;
        int i = grid.Order[slot], j = grid.Order[otherSlot];
        int[] cells = box.Cells;
        double squared = box.SquaredDistance(
            positions,
            i,
            j,
            a + cells[3 * i] - cells[3 * j],
            b + cells[3 * i + 1] - cells[3 * j + 1],
            c + cells[3 * i + 2] - cells[3 * j + 2]);
        if (squared >= cutoff * cutoff) return;
        if (squared < Reach.SamePoint) Collision ??= (i, j);
        if (count == edges.Length) Array.Resize(ref edges, 2 * count);
        edges[count++] = Edge.Pack(j, a, b, c);
    }
}
