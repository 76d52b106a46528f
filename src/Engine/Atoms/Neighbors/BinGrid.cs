using System.Runtime.InteropServices;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Atoms dropped into bins along the basis vectors of their box, each about half as wide as the cutoff, and sorted by bin, so that the atoms
/// of a bin, and of those next to it along the third vector, stand together in memory.
/// </summary>
internal sealed class BinGrid
{
    /// <summary>More bins than this for each atom cost more than they save.</summary>
    private const int BinsPerAtom = 4;

    /// <summary>Two leave half as many atoms to look at as one, and runs of bins that still fill a vector.</summary>
    private const int BinsPerCutoff = 2;

    /// <summary>Positions beyond this many cutoffs leave too few digits to trust a distance between wrapped ones.</summary>
    private const double FarAway = 1e6;

    /// <summary>Atoms that may be read behind the last.</summary>
    public const int Padding = 8;

    private readonly double[] origin = new double[3];
    private readonly double[] width = new double[3];

    private BinGrid(int atoms)
    {
        Order = new int[atoms];
        Bins = new int[atoms];
        X = new double[atoms + Padding];
        Y = new double[atoms + Padding];
        Z = new double[atoms + Padding];
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

    /// <summary>(atoms + padding) Positions inside the cell, in that order.</summary>
    public double[] X { get; }

    /// <inheritdoc cref="X"/>
    public double[] Y { get; }

    /// <inheritdoc cref="X"/>
    public double[] Z { get; }

    /// <summary>Whether any atom stands outside the cell.</summary>
    public bool HasOutside { get; private set; }

    /// <summary>Whether a distance between wrapped positions is right to a part in 10^7 of the cutoff.</summary>
    public bool IsExact { get; private set; }

    public static BinGrid Of(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        BinGrid grid = new(positions.Length / 3);
        grid.Divide(positions, box, cutoff, place);
        grid.Sort(positions, box, cutoff);
        return grid;
    }

    private void Divide(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        double[] heights = new double[3];
        for (int k = 0; k < 3; k++)
        {
            heights[k] = box.Periodic[k] ? CellGeometry.Height(box.Basis, k) : Extent(positions, box, k);
            Counts[k] = (int)Math.Clamp(Math.Floor(heights[k] * BinsPerCutoff / (cutoff * Reach.Margin)), 1, 1 << 20);
        }
        while ((double)Counts[0] * Counts[1] * Counts[2] > Math.Max(8.0, (double)BinsPerAtom * Order.Length))
        {
            int most = Array.IndexOf(Counts, Counts.Max());
            Counts[most] = Math.Max(1, Counts[most] / 2);
        }
        for (int k = 0; k < 3; k++)
        {
            width[k] = box.Periodic[k] ? 1.0 / Counts[k] : heights[k] / Counts[k];
            Range[k] = box.Periodic[k] ? Reach.Slabs(cutoff, heights[k] / Counts[k], place)
                : Counts[k] == 1 ? 0 : (int)Math.Min(Counts[k] - 1, Math.Ceiling(cutoff * Reach.Margin / width[k]));
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

    private void Sort(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff)
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
        double farthest = 0;
        for (int i = 0; i < atoms; i++)
        {
            int slot = next[bins[i]]++;
            Order[slot] = i;
            Bins[slot] = bins[i];
            ReadOnlySpan<int> cells = box.Cells.AsSpan(3 * i, 3);
            HasOutside |= (cells[0] | cells[1] | cells[2]) != 0;
            for (int k = 0; k < 3; k++)
            {
                double at = positions[3 * i + k], moved = Math.Abs(at);
                for (int d = 0; d < 3; d++)
                {
                    double by = cells[d] * box.Basis[3 * d + k];
                    at -= by;
                    moved += Math.Abs(by);
                }
                (k == 0 ? X : k == 1 ? Y : Z)[slot] = at;
                farthest = Math.Max(farthest, moved);
            }
        }
        for (int d = 0; d < 9; d++) farthest += Range[d / 3] * Math.Abs(box.Basis[d]);
        IsExact = farthest < FarAway * cutoff;
    }
}

/// <summary>Bins that follow each other in memory, all of one image of the cell.</summary>
/// <param name="Start">First of <see cref="BinGrid.Order"/>.</param>
/// <param name="End">Behind the last.</param>
/// <param name="A">The image, along each basis vector.</param>
/// <param name="B">Likewise.</param>
/// <param name="C">Likewise.</param>
/// <param name="X">Angstrom: where that image begins.</param>
/// <param name="Y">Likewise.</param>
/// <param name="Z">Likewise.</param>
internal readonly record struct BinRun(int Start, int End, int A, int B, int C, double X, double Y, double Z)
{
    /// <summary>As keys of edges have it.</summary>
    public long Image { get; } = Edge.Image(A, B, C);
}

/// <summary>The runs of bins that are near enough to a bin to hold neighbours of its atoms. One thread each.</summary>
internal sealed class BinRuns(BinGrid grid, PeriodicBox box)
{
    private readonly List<BinRun> runs = [];
    private int center = -1;

    public ReadOnlySpan<BinRun> All => CollectionsMarshal.AsSpan(runs);

    /// <summary>How many vectors their atoms fill.</summary>
    public int Vectors { get; private set; }

    /// <summary>Sets <see cref="All"/>.</summary>
    public void Around(int bin)
    {
        if (bin == center) return;
        center = bin;
        runs.Clear();
        Vectors = 0;
        int[] counts = grid.Counts, range = grid.Range;
        int z = bin % counts[2], y = bin / counts[2] % counts[1], x = bin / counts[2] / counts[1];
        for (int dx = -range[0]; dx <= range[0]; dx++)
        {
            if (!Image(x + dx, 0, out int binX, out int a)) continue;
            for (int dy = -range[1]; dy <= range[1]; dy++)
            {
                if (!Image(y + dy, 1, out int binY, out int b)) continue;
                Column((binX * counts[1] + binY) * counts[2], z - range[2], z + range[2], a, b);
            }
        }
    }

    /// <summary>The bins of a column from one to another, which may lie in further images: a run in each.</summary>
    private void Column(int column, int low, int high, int a, int b)
    {
        double[] basis = box.Basis;
        int count = grid.Counts[2];
        Image(low, 2, out _, out int first);
        Image(high, 2, out _, out int last);
        if (!box.Periodic[2]) first = last = 0;
        for (int c = first; c <= last; c++)
        {
            int start = grid.Starts[column + Math.Max(0, low - c * count)], end = grid.Starts[column + Math.Min(count - 1, high - c * count) + 1];
            if (start == end) continue;
            Vectors += (end - start + BinGrid.Padding - 1) / BinGrid.Padding;
            runs.Add(new BinRun(start, end, a, b, c, a * basis[0] + b * basis[3] + c * basis[6], a * basis[1] + b * basis[4] + c * basis[7],
                a * basis[2] + b * basis[5] + c * basis[8]));
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
}
