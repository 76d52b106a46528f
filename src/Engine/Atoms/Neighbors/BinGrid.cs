using System.Runtime.InteropServices;
using ChemScale.Engine.Native;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Atoms dropped into bins along the basis vectors of their box, each about half as wide as the cutoff, and sorted by bin, so that the atoms
/// of a bin, and of those next to it along the third vector, stand together in memory. In a workspace, until disposal.
/// </summary>
internal sealed unsafe class BinGrid : IDisposable
{
    /// <summary>More bins than this for each atom cost more than they save.</summary>
    private const int BinsPerAtom = 4;

    /// <summary>Two leave half as many atoms to look at as one, and runs of bins that still fill a vector.</summary>
    private const int BinsPerCutoff = 2;

    /// <summary>Positions beyond this many cutoffs leave too few digits to trust a distance between wrapped ones.</summary>
    private const double FarAway = 1e6;

    /// <summary>Of float32: half a unit in the last place, relative.</summary>
    private const double Rounding = 1.0 / (1 << 24);

    /// <summary>Atoms that may be read behind the last.</summary>
    public const int Padding = 8;

    private readonly double[] origin = new double[3];
    private readonly double[] width = new double[3];
    private Workspace? memory;

    private BinGrid(int atoms) => Atoms = atoms;

    public int Atoms { get; }

    /// <summary>(3) Bins along each direction.</summary>
    public int[] Counts { get; } = new int[3];

    /// <summary>(3) How many bins on either side a cutoff reaches into.</summary>
    public int[] Range { get; } = new int[3];

    /// <summary>(bins + 1) Where the atoms of each bin start in <see cref="Order"/>.</summary>
    public int* Starts { get; private set; }

    /// <summary>(atoms + padding) Atoms by bin.</summary>
    public int* Order { get; private set; }

    /// <summary>(atoms) The bin of each atom of <see cref="Order"/>.</summary>
    public int* Bins { get; private set; }

    /// <summary>(atoms + padding) Positions inside the cell, in that order, from one of them, in cutoffs.</summary>
    public float* X { get; private set; }

    /// <inheritdoc cref="X"/>
    public float* Y { get; private set; }

    /// <inheritdoc cref="X"/>
    public float* Z { get; private set; }

    /// <summary>Whether any atom stands outside the cell.</summary>
    public bool HasOutside { get; private set; }

    /// <summary>Squared, in cutoffs: from here on a pair is none, whatever float32 made of it. Infinite where nothing is known.</summary>
    public float Near { get; private set; } = float.PositiveInfinity;

    /// <summary>Below this, and from <see cref="Tiny"/> on, it is one.</summary>
    public float Sure { get; private set; }

    /// <summary>Pairs nearer than this are looked at one by one: an atom itself, and atoms at one point.</summary>
    public float Tiny { get; private set; }

    public static BinGrid Of(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        BinGrid grid = new(positions.Length / 3);
        grid.Divide(positions, box, cutoff, place);
        grid.Sort(positions, box, cutoff);
        return grid;
    }

    public void Dispose()
    {
        memory?.Dispose();
        memory = null;
    }

    private void Divide(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        double[] heights = new double[3];
        for (int k = 0; k < 3; k++)
        {
            heights[k] = box.Periodic[k] ? CellGeometry.Height(box.Basis, k) : Extent(positions, box, k);
            Counts[k] = (int)Math.Clamp(Math.Floor(heights[k] * BinsPerCutoff / (cutoff * Reach.Margin)), 1, 1 << 20);
        }
        while ((double)Counts[0] * Counts[1] * Counts[2] > Math.Max(8.0, (double)BinsPerAtom * Atoms))
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
        int bins = Counts[0] * Counts[1] * Counts[2], room = Atoms + Padding;
        memory = Workspace.Rent(2 * Workspace.Size<int>(Atoms) + 4 * Workspace.Size<int>(room) + 2 * Workspace.Size<int>(bins + 1));
        Starts = memory.Take<int>(bins + 1);
        Order = memory.Take<int>(room);
        Bins = memory.Take<int>(Atoms);
        X = memory.Take<float>(room);
        Y = memory.Take<float>(room);
        Z = memory.Take<float>(room);
        int* given = memory.Take<int>(Atoms), next = memory.Take<int>(bins + 1);
        var starts = new Span<int>(Starts, bins + 1);
        starts.Clear();
        Assign(positions, box, given);
        for (int bin = 0; bin < bins; bin++) Starts[bin + 1] += Starts[bin];
        starts.CopyTo(new Span<int>(next, bins + 1));
        double farthest = Place(positions, box, cutoff, given, next, out double extent);
        // What is read behind the last.
        for (int i = Atoms; i < room; i++) (Order[i], X[i], Y[i], Z[i]) = (0, 0, 0, 0);
        double reached = 0;
        for (int d = 0; d < 9; d++) reached += Range[d / 3] * Math.Abs(box.Basis[d]);
        if (farthest + reached < FarAway * cutoff) Bound(extent + reached / cutoff, cutoff);
    }

    private void Assign(ReadOnlySpan<double> positions, PeriodicBox box, int* bins)
    {
        for (int i = 0; i < Atoms; i++)
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
    }

    /// <param name="positions">(atoms, 3) A, as given.</param>
    /// <param name="box">Theirs.</param>
    /// <param name="cutoff">A</param>
    /// <param name="bins">(atoms) The bin of each.</param>
    /// <param name="next">(bins) Where the next atom of each goes; moved on.</param>
    /// <param name="extent">The greatest coordinate, in cutoffs.</param>
    /// <returns>A: the greatest coordinate as given, and what it was moved by.</returns>
    private double Place(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, int* bins, int* next, out double extent)
    {
        double farthest = 0, x0 = 0, y0 = 0, z0 = 0;
        double[] basis = box.Basis;
        extent = 0;
        for (int i = 0; i < Atoms; i++)
        {
            int slot = next[bins[i]]++;
            Order[slot] = i;
            Bins[slot] = bins[i];
            int a = box.Cells[3 * i], b = box.Cells[3 * i + 1], c = box.Cells[3 * i + 2];
            double x = positions[3 * i], y = positions[3 * i + 1], z = positions[3 * i + 2];
            double moved = Math.Max(Math.Max(Math.Abs(x), Math.Abs(y)), Math.Abs(z));
            if ((a | b | c) != 0)
            {
                HasOutside = true;
                for (int k = 0; k < 9; k++) moved += Math.Abs((k < 3 ? a : k < 6 ? b : c) * basis[k]);
                x -= a * basis[0] + b * basis[3] + c * basis[6];
                y -= a * basis[1] + b * basis[4] + c * basis[7];
                z -= a * basis[2] + b * basis[5] + c * basis[8];
            }
            if (i == 0) (x0, y0, z0) = (x, y, z);
            (x, y, z) = ((x - x0) / cutoff, (y - y0) / cutoff, (z - z0) / cutoff);
            (X[slot], Y[slot], Z[slot]) = ((float)x, (float)y, (float)z);
            extent = Math.Max(extent, Math.Max(Math.Max(Math.Abs(x), Math.Abs(y)), Math.Abs(z)));
            farthest = Math.Max(farthest, moved);
        }
        return farthest;
    }

    /// <summary>
    /// Coordinates and shifts up to <paramref name="reach"/> in float32: a difference of two is wrong by less than six roundings of that, and a
    /// square s by 2 sqrt(3 s) times as much and a little. Beyond that, the margin of distances between wrapped positions.
    /// </summary>
    private void Bound(double reach, double cutoff)
    {
        double wrong = 6 * Rounding * (reach + 1), margin = 4 * wrong + 4 * wrong * wrong + 16 * Rounding;
        Near = MathF.BitIncrement((float)(Reach.Margin + margin));
        Sure = MathF.BitDecrement((float)(2 - Reach.Margin - margin));
        double same = Math.Sqrt(Reach.SamePoint) / cutoff + 2 * wrong;
        Tiny = MathF.BitIncrement((float)(4 * same * same));
    }
}

/// <summary>Bins that follow each other in memory, all of one image of the cell.</summary>
/// <param name="Start">First of <see cref="BinGrid.Order"/>.</param>
/// <param name="End">Behind the last.</param>
/// <param name="A">The image, along each basis vector.</param>
/// <param name="B">Likewise.</param>
/// <param name="C">Likewise.</param>
/// <param name="X">Cutoffs: where that image begins.</param>
/// <param name="Y">Likewise.</param>
/// <param name="Z">Likewise.</param>
internal readonly record struct BinRun(int Start, int End, int A, int B, int C, float X, float Y, float Z)
{
    /// <summary>As keys of edges have it.</summary>
    public long Image => Edge.Image(A, B, C);
}

/// <summary>The runs of bins that are near enough to a bin to hold neighbours of its atoms. One thread each.</summary>
internal sealed unsafe class BinRuns
{
    private readonly BinGrid grid;
    private readonly PeriodicBox box;
    private readonly double[] basis;

    // Of the bins that share their first two places.
    private readonly List<(int First, int A, int B)> columns = [];

    // The bins of a column that are near: in one image of it after the other.
    private readonly List<(int Low, int High, int C)> pieces = [];

    private BinRun[] runs = new BinRun[32];
    private int count, center = -1, centerColumn = -1;

    public BinRuns(BinGrid grid, PeriodicBox box, double cutoff)
    {
        (this.grid, this.box) = (grid, box);
        basis = [.. box.Basis.Select(b => b / cutoff)];
    }

    public ReadOnlySpan<BinRun> All => runs.AsSpan(0, count);

    /// <summary>How many vectors their atoms fill.</summary>
    public int Vectors { get; private set; }

    /// <summary>Whether all are of the cell itself.</summary>
    public bool AreInside { get; private set; }

    /// <summary>Sets the others.</summary>
    public void Around(int bin)
    {
        if (bin == center) return;
        int[] counts = grid.Counts;
        int column = bin / counts[2];
        if (column != centerColumn) Columns(column);
        Pieces(bin - column * counts[2]);
        (center, centerColumn) = (bin, column);
        if (runs.Length < columns.Count * pieces.Count) runs = new BinRun[columns.Count * pieces.Count];
        int* starts = grid.Starts;
        int all = 0, vectors = 0;
        bool inside = true;
        foreach ((int first, int a, int b) in CollectionsMarshal.AsSpan(columns))
        {
            foreach ((int low, int high, int c) in CollectionsMarshal.AsSpan(pieces))
            {
                int start = starts[first + low], end = starts[first + high];
                if (start == end) continue;
                vectors += (end - start + BinGrid.Padding - 1) / BinGrid.Padding;
                if ((a | b | c) == 0)
                {
                    runs[all++] = new BinRun(start, end, 0, 0, 0, 0, 0, 0);
                    continue;
                }
                inside = false;
                runs[all++] = new BinRun(start, end, a, b, c, (float)(a * basis[0] + b * basis[3] + c * basis[6]),
                    (float)(a * basis[1] + b * basis[4] + c * basis[7]), (float)(a * basis[2] + b * basis[5] + c * basis[8]));
            }
        }
        (count, Vectors, AreInside) = (all, vectors, inside);
    }

    private void Columns(int column)
    {
        columns.Clear();
        int[] counts = grid.Counts, range = grid.Range;
        int x = column / counts[1], y = column - x * counts[1];
        for (int dx = -range[0]; dx <= range[0]; dx++)
        {
            if (!Image(x + dx, 0, out int binX, out int a)) continue;
            for (int dy = -range[1]; dy <= range[1]; dy++)
                if (Image(y + dy, 1, out int binY, out int b)) columns.Add(((binX * counts[1] + binY) * counts[2], a, b));
        }
    }

    private void Pieces(int z)
    {
        pieces.Clear();
        int bins = grid.Counts[2], low = z - grid.Range[2], high = z + grid.Range[2];
        Image(low, 2, out _, out int first);
        Image(high, 2, out _, out int last);
        if (!box.Periodic[2]) first = last = 0;
        for (int c = first; c <= last; c++) pieces.Add((Math.Max(0, low - c * bins), Math.Min(bins - 1, high - c * bins) + 1, c));
    }

    /// <summary>Which bin this is, and in which image of the cell; false beyond the end of a direction that does not repeat.</summary>
    private bool Image(int index, int direction, out int bin, out int image)
    {
        int bins = grid.Counts[direction];
        image = index >= 0 ? index / bins : -((bins - 1 - index) / bins);
        bin = index - image * bins;
        return image == 0 || box.Periodic[direction];
    }
}
