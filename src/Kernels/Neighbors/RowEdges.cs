using ChemScale.Kernels.Device;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// What sorted keys say of their edges, and where each stands the other way round: receiver and sender exchanged, shift negated, found by
/// bisection in the sender's row. A thread takes an edge.
/// </summary>
internal static class RowEdges
{
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="cells">(A, 3)</param>
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="keys">(E) ascending in each row</param>
    /// <param name="senders">(E), written</param>
    /// <param name="reverse">(E), written</param>
    /// <param name="shifts">(E, 3), written: lattice vectors by which the sender, as given, is moved; empty: not wanted</param>
    /// <param name="vectors">(E, 3) A, written: their sum; empty: not wanted</param>
    [RoundEachOperation]
    public static void Run(
        ArrayView<long> frames, ArrayView<double> boxes, ArrayView<int> cells, ArrayView<long> rowStarts, ArrayView<long> receivers,
        ArrayView<long> keys, ArrayView<long> senders, ArrayView<long> reverse, ArrayView<int> shifts, ArrayView<double> vectors)
    {
        for (int e = Grid.GlobalIndex.X; e < keys.IntLength; e += Grid.DimX * Group.DimX)
        {
            long key = keys[e];
            int i = (int)receivers[e], j = ImageKey.Sender(key), a = ImageKey.A(key), b = ImageKey.B(key), c = ImageKey.C(key);
            senders[e] = j;
            long wanted = ImageKey.Of(i, -a, -b, -c);
            int low = (int)rowStarts[j], high = (int)rowStarts[j + 1] - 1;
            while (low < high)
            {
                int middle = low + (high - low) / 2;
                if (keys[middle] < wanted) low = middle + 1;
                else high = middle;
            }
            reverse[e] = low;
            a += cells[3 * i] - cells[3 * j];
            b += cells[3 * i + 1] - cells[3 * j + 1];
            c += cells[3 * i + 2] - cells[3 * j + 2];
            if (shifts.IntLength > 0)
            {
                shifts[3 * e] = a;
                shifts[3 * e + 1] = b;
                shifts[3 * e + 2] = c;
            }
            if (vectors.IntLength == 0) continue;
            int box = (int)frames[i] * BoxLayout.Length + BoxLayout.Basis;
            vectors[3 * e] = ImageDistance.Shift(boxes, box, a, b, c);
            vectors[3 * e + 1] = ImageDistance.Shift(boxes, box + 1, a, b, c);
            vectors[3 * e + 2] = ImageDistance.Shift(boxes, box + 2, a, b, c);
        }
    }
}
