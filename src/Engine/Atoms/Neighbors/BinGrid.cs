namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Atoms dropped into bins along the basis vectors of their box, each about as wide as the cutoff, and sorted by bin, so that a bin's
/// atoms stand together in memory.
/// </summary>
internal sealed class BinGrid
{
    /// <summary>More bins than this for each atom cost more than they save.</summary>
    private const int BinsPerAtom = 4;

    private readonly double[] _origin = new double[3];
    private readonly double[] _width = new double[3];

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
            _width[k] = box.Periodic[k] ? 1.0 / Counts[k] : heights[k] / Counts[k];
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
        _origin[direction] = low;
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
                double at = box.Coordinate(positions.Slice(3 * i, 3), k) - _origin[k] - box.Cells[3 * i + k];
                int slab = _width[k] > 0 ? (int)Math.Clamp(at / _width[k], 0, Counts[k] - 1) : 0;
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
