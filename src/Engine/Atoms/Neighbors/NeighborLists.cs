using System.Numerics;
using System.Runtime.Intrinsics;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Finds neighbours: every atom against every other where nothing repeats and there are few, linked cells elsewhere. Same result, same order.
/// </summary>
internal static class NeighborLists
{
    /// <param name="positions">(atoms, 3) Angstrom; need not lie inside the cell.</param>
    /// <param name="cell">(3, 3) Angstrom, rows are lattice vectors, of either handedness; null where nothing repeats.</param>
    /// <param name="periodic">(3) Which lattice vectors repeat; the others are ignored.</param>
    /// <param name="cutoff">Angstrom; may exceed the cell.</param>
    /// <param name="place">What to name in a complaint.</param>
    /// <param name="stop">Heard between parts of a large list.</param>
    /// <exception cref="InputException">
    /// Two atoms at one point, a position that is no number, or repeating lattice vectors that span no volume.
    /// </exception>
    public static NeighborList Build(
        ReadOnlySpan<double> positions, double[]? cell, bool[] periodic, double cutoff, string place = "atoms", CancellationToken stop = default)
    {
        if (!(cutoff > 0 && double.IsFinite(cutoff))) throw new InputException("cutoff", $"{cutoff}", "a positive length in Angstrom");
        return positions.Length / 3 <= AllPairs.MostAtoms && !periodic.Contains(true)
            ? AllPairs.Build(positions, cutoff, place)
            : LinkedCells.Build(positions, PeriodicBox.Of(positions, cell, periodic, place), cutoff, place, stop);
    }

    /// <inheritdoc cref="Build(ReadOnlySpan{double}, double[], bool[], double, string, CancellationToken)"/>
    public static NeighborList Build(Frame frame, double cutoff, CancellationToken stop = default) =>
        Build(frame.Positions, frame.Cell, frame.Periodic, cutoff, frame.Place, stop);
}

/// <summary>Every atom of a molecule against every other, eight at a time: rows come out in order.</summary>
internal static unsafe class AllPairs
{
    /// <summary>Up to here faster than linked cells, whatever the cutoff.</summary>
    public const int MostAtoms = 256;

    private const int Lanes = 8;

    public static NeighborList Build(ReadOnlySpan<double> positions, double cutoff, string place)
    {
        if (positions.IndexOfNonFinite() is >= 0 and int bad) throw Reach.NoNumber(place, bad, positions[bad]);
        int atoms = positions.Length / 3, room = (atoms + Lanes - 1) / Lanes * Lanes, bytes = room / Lanes;
        double* x = stackalloc double[3 * room], y = x + room, z = y + room;
        for (int i = 0; i < room; i++)
            for (int k = 0; k < 3; k++) x[k * room + i] = i < atoms ? positions[3 * i + k] : double.PositiveInfinity;
        // A bit for each pair.
        Span<byte> near = stackalloc byte[atoms * bytes];
        int[] rowStarts = new int[atoms + 1];
        for (int i = 0; i < atoms; i++)
        {
            int count = 0;
            Span<byte> row = near.Slice(i * bytes, bytes);
            for (int j = 0; j < atoms; j += Lanes)
            {
                Vector512<double> squared = PairLanes.Squared(x + j, y + j, z + j, x[i], y[i], z[i]);
                uint bits = (uint)Vector512.LessThan(squared, Vector512.Create(cutoff * cutoff)).ExtractMostSignificantBits();
                uint same = (uint)Vector512.LessThan(squared, Vector512.Create(Reach.SamePoint)).ExtractMostSignificantBits();
                if (i / Lanes == j / Lanes) (bits, same) = (bits & ~(1u << (i % Lanes)), same & ~(1u << (i % Lanes)));
                if ((bits & same) != 0) throw Reach.Collision(place, i, j + BitOperations.TrailingZeroCount(bits & same));
                row[j / Lanes] = (byte)bits;
                count += BitOperations.PopCount(bits);
            }
            rowStarts[i + 1] = rowStarts[i] + count;
        }
        return new NeighborList(cutoff, rowStarts, Senders(near, bytes, rowStarts[^1]), shifts: null);
    }

    private static int[] Senders(ReadOnlySpan<byte> near, int bytes, int edges)
    {
        int[] senders = GC.AllocateUninitializedArray<int>(edges);
        Vector256<int> first = Vector256<int>.Indices;
        fixed (int* all = senders)
        fixed (byte* places = RowSort.Places)
        {
            int edge = 0;
            for (int row = 0; row < near.Length; row += bytes)
            {
                for (int at = 0; at < bytes; at++)
                {
                    uint bits = near[row + at];
                    if (edge <= edges - Lanes) RowSort.Pack(first + Vector256.Create(at * Lanes), bits, all + edge, places);
                    else for (uint left = bits, k = 0; left != 0; left &= left - 1) all[edge + k++] = at * Lanes + BitOperations.TrailingZeroCount(left);
                    edge += BitOperations.PopCount(bits);
                }
            }
        }
        return senders;
    }
}
