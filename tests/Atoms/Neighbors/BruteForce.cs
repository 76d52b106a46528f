using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;

namespace ChemScale.Tests.Atoms.Neighbors;

/// <summary>Every image of every atom against every atom, one distance at a time: the oracle of the searches.</summary>
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
