namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>Finds the rows of a run of atoms of a <see cref="BinGrid"/>. One thread each.</summary>
internal sealed class BinSearch(BinGrid grid, PeriodicBox box, double[] positions, double cutoff)
{
    private const int FirstCapacity = 1 << 12;

    private readonly List<int> _ends = [];
    private readonly double _near = cutoff * cutoff * Reach.Margin;
    private ulong[] _edges = new ulong[FirstCapacity];
    private int _count;

    /// <summary>Two atoms at one point, where there are any: no rows beyond.</summary>
    public (int First, int Second)? Collision { get; private set; }

    public int Rows => _ends.Count;

    public ReadOnlySpan<ulong> Row(int index)
    {
        int start = index == 0 ? 0 : _ends[index - 1];
        return _edges.AsSpan(start, _ends[index] - start);
    }

    /// <param name="from">First of <see cref="BinGrid.Order"/>.</param>
    /// <param name="to">Behind the last.</param>
    public void Run(int from, int to)
    {
        for (int slot = from; slot < to && Collision is null; slot++)
        {
            int start = _count;
            Visit(slot);
            Array.Sort(_edges, start, _count - start);
            _ends.Add(_count);
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
            if (dx * dx + dy * dy + dz * dz < _near) Take(slot, start + at / 3, a, b, c);
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
        if (_count == _edges.Length) Array.Resize(ref _edges, 2 * _count);
        _edges[_count++] = Edge.Pack(j, a, b, c);
    }
}
