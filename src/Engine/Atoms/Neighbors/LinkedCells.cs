namespace ChemScale.Engine.Atoms.Neighbors;

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
        Parallel.For(0, chunks.Length, c =>
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
        Parallel.For(0, chunks.Length, c =>
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
