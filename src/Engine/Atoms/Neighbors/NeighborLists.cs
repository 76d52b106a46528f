
namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Finds neighbours: all images against all atoms where there are few, linked cells where there are many. Same result, same order.
/// </summary>
internal static class NeighborLists
{
    /// <summary>Up to here the plain double loop is the faster one.</summary>
    private const int FewAtoms = 64;

    /// <param name="positions">(atoms, 3) Angstrom; need not lie inside the cell.</param>
    /// <param name="cell">(3, 3) Angstrom, rows are lattice vectors, of either handedness; null where nothing repeats.</param>
    /// <param name="periodic">(3) Which lattice vectors repeat; the others are ignored.</param>
    /// <param name="cutoff">Angstrom; may exceed the cell.</param>
    /// <param name="place">What to name in a complaint.</param>
    /// <exception cref="InputException">
    /// Two atoms at one point, a position that is no number, or repeating lattice vectors that span no volume.
    /// </exception>
    public static NeighborList Build(
        ReadOnlySpan<double> positions, double[]? cell, bool[] periodic, double cutoff, string place = "atoms")
    {
        if (!(cutoff > 0 && double.IsFinite(cutoff))) throw new InputException("cutoff", $"{cutoff}", "a positive length in Angstrom");
        PeriodicBox box = PeriodicBox.Of(positions, cell, periodic, place);
        return positions.Length / 3 <= FewAtoms
            ? BruteForce.Build(positions, box, cutoff, place)
            : LinkedCells.Build(positions, box, cutoff, place);
    }

    /// <inheritdoc cref="Build(ReadOnlySpan{double}, double[], bool[], double, string)"/>
    public static NeighborList Build(Frame frame, double cutoff) =>
        Build(frame.Positions, frame.Cell, frame.Periodic, cutoff, frame.Place);
}

/// <summary>
/// Neighbours from nearby bins only: O(atoms) at a given density (Quentrec and Brot, J. Comput. Phys. 13, 430, 1973). Where the cell
/// is smaller than the cutoff, the same bin is met again in further images.
/// </summary>
internal static class LinkedCells
{
    private const int ChunkAtoms = 2048;

    public static NeighborList Build(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        int atoms = positions.Length / 3;
        BinGrid grid = BinGrid.Of(positions, box, cutoff, place);
        double[] given = positions.ToArray();
        BinSearch[] chunks = new BinSearch[(atoms + ChunkAtoms - 1) / ChunkAtoms];
        Parallel.For(0, chunks.Length, ProcessorBudget.Loops, c =>
        {
            chunks[c] = new BinSearch(grid, box, given, cutoff);
            chunks[c].Run(c * ChunkAtoms, Math.Min(atoms, (c + 1) * ChunkAtoms));
        });
        foreach (BinSearch chunk in chunks)
            if (chunk.Collision is { } pair) throw Reach.Collision(place, pair.First, pair.Second);
        return Assemble(chunks, grid, box, cutoff);
    }

    /// <summary>Rows from the order of bins into the order of atoms.</summary>
    private static NeighborList Assemble(BinSearch[] chunks, BinGrid grid, PeriodicBox box, double cutoff)
    {
        int[] rowStarts = new int[grid.Order.Length + 1];
        for (int slot = 0; slot < grid.Order.Length; slot++)
        {
            rowStarts[grid.Order[slot] + 1] = chunks[slot / ChunkAtoms].Row(slot % ChunkAtoms).Length;
        }
        for (int i = 0; i < grid.Order.Length; i++) rowStarts[i + 1] = checked(rowStarts[i + 1] + rowStarts[i]);
        int[] senders = new int[rowStarts[^1]];
        int[] shifts = new int[checked(3 * rowStarts[^1])];
        int[] cells = box.Cells;
        Parallel.For(0, chunks.Length, ProcessorBudget.Loops, c =>
        {
            for (int row = 0; row < chunks[c].Rows; row++)
            {
                int receiver = grid.Order[c * ChunkAtoms + row];
                int edge = rowStarts[receiver];
                foreach (ulong packed in chunks[c].Row(row))
                {
                    int sender = Edge.Sender(packed);
                    senders[edge] = sender;
                    for (int k = 0; k < 3; k++)
                        shifts[3 * edge + k] = Edge.Shift(packed, k) + cells[3 * receiver + k] - cells[3 * sender + k];
                    edge++;
                }
            }
        });
        return new NeighborList(cutoff, rowStarts, senders, shifts);
    }
}

/// <summary>Every image of every atom against every atom: O(atoms^2), the oracle of <see cref="LinkedCells"/>.</summary>
internal static class BruteForce
{
    public static NeighborList Build(ReadOnlySpan<double> positions, PeriodicBox box, double cutoff, string place)
    {
        int atoms = positions.Length / 3;
        Span<int> reach = stackalloc int[3];
        for (int k = 0; k < 3; k++)
            if (box.Periodic[k]) reach[k] = Reach.Slabs(cutoff, CellGeometry.Height(box.Basis, k), place);
        int[] rowStarts = new int[atoms + 1];
        List<int> senders = [], shifts = [];
        ReadOnlySpan<int> cells = box.Cells;
        for (int i = 0; i < atoms; i++)
        {
            for (int j = 0; j < atoms; j++)
            {
                // Shifts between wrapped atoms are small; those between atoms as given differ by the cells the two are in.
                int offsetA = cells[3 * i] - cells[3 * j];
                int offsetB = cells[3 * i + 1] - cells[3 * j + 1];
                int offsetC = cells[3 * i + 2] - cells[3 * j + 2];
                for (int a = offsetA - reach[0]; a <= offsetA + reach[0]; a++)
                {
                    for (int b = offsetB - reach[1]; b <= offsetB + reach[1]; b++)
                    {
                        for (int c = offsetC - reach[2]; c <= offsetC + reach[2]; c++)
                        {
                            double squared = box.SquaredDistance(positions, i, j, a, b, c);
                            if (squared >= cutoff * cutoff || (i == j && (a | b | c) == 0)) continue;
                            if (squared < Reach.SamePoint) throw Reach.Collision(place, i, j);
                            senders.Add(j);
                            shifts.AddRange([a, b, c]);
                        }
                    }
                }
            }
            rowStarts[i + 1] = senders.Count;
        }
        return new NeighborList(cutoff, rowStarts, [.. senders], [.. shifts]);
    }
}
