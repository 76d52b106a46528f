using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>What <see cref="BinPairs"/> does with the edges it finds.</summary>
internal interface IBinPass
{
    /// <summary>Whether they are written; else counted.</summary>
    static abstract bool Fills { get; }
}

/// <summary>Counts them.</summary>
internal readonly struct CountPass : IBinPass
{
    public static bool Fills => false;
}

/// <summary>Writes them.</summary>
internal readonly struct FillPass : IBinPass
{
    public static bool Fills => true;
}

/// <summary>
/// Least and greatest of three columns over runs of rows. Run twice: over runs of a frame's atoms, then over the runs of each frame.
/// </summary>
internal static class BinExtents
{
    /// <param name="least">(n, 3)</param>
    /// <param name="greatest">(n, 3); may be the same array</param>
    /// <param name="starts">(runs + 1) rows</param>
    /// <param name="leastOfRun">(runs, 3), written</param>
    /// <param name="greatestOfRun">(runs, 3), written; below the least where a run is empty</param>
    public static void Run<TLanes>(
        ArrayView<double> least, ArrayView<double> greatest, ArrayView<int> starts, ArrayView<double> leastOfRun,
        ArrayView<double> greatestOfRun)
        where TLanes : struct, ILanes
    {
        int items = leastOfRun.IntLength, lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        // As many rounds for every thread: lanes without an item still take part.
        for (int start = 0; start < items; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), item = own < items ? own : items - 1;
            int run = item / 3, k = item - 3 * run;
            double low = double.MaxValue, high = double.MinValue;
            for (int row = starts[run] + lane; row < starts[run + 1]; row += TLanes.Count)
            {
                double one = least[3 * row + k], other = greatest[3 * row + k];
                low = one < low ? one : low;
                high = other > high ? other : high;
            }
            low = -TLanes.Max(-low);
            high = TLanes.Max(high);
            if (lane != 0 || own >= items) continue;
            leastOfRun[item] = low;
            greatestOfRun[item] = high;
        }
    }
}

/// <summary>Coordinates of atoms along the vectors of their box, inside the cell where it repeats. A thread takes one of an atom.</summary>
internal static class BinCoordinates
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="coordinates">(A, 3), written: 0 .. 1 where the box repeats, A where it does not</param>
    /// <param name="cells">(A, 3), written: which image of the cell; 0 where the box does not repeat</param>
    public static void Run(
        ArrayView<double> positions, ArrayView<long> frames, ArrayView<double> boxes, ArrayView<double> coordinates, ArrayView<int> cells)
    {
        for (int n = Grid.GlobalIndex.X; n < coordinates.IntLength; n += Grid.DimX * Group.DimX)
        {
            int i = n / 3, k = n - 3 * i, box = (int)frames[i] * BoxLayout.Length;
            double at = positions[3 * i] * boxes[box + BoxLayout.Inverse + k]
                + positions[3 * i + 1] * boxes[box + BoxLayout.Inverse + 3 + k]
                + positions[3 * i + 2] * boxes[box + BoxLayout.Inverse + 6 + k];
            int cell = 0;
            if (boxes[box + BoxLayout.Heights + k] > 0)
            {
                cell = (int)at;
                if (at < cell) cell--;
            }
            coordinates[n] = at - cell;
            cells[n] = cell;
        }
    }
}

/// <summary>The bin of each atom. A thread takes an atom.</summary>
internal static class BinNumbers
{
    /// <param name="coordinates">(A, 3)</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="least">(frames, 3) of the coordinates</param>
    /// <param name="firstBins">(frames + 1)</param>
    /// <param name="grids">(frames, 6)</param>
    /// <param name="widths">(frames, 3)</param>
    /// <param name="bins">(A), written</param>
    public static void Run(
        ArrayView<double> coordinates, ArrayView<long> frames, ArrayView<double> boxes, ArrayView<double> least, ArrayView<int> firstBins,
        ArrayView<int> grids, ArrayView<double> widths, ArrayView<int> bins)
    {
        for (int i = Grid.GlobalIndex.X; i < bins.IntLength; i += Grid.DimX * Group.DimX)
        {
            int f = (int)frames[i], bin = 0;
            for (int k = 0; k < 3; k++)
            {
                double origin = boxes[f * BoxLayout.Length + BoxLayout.Heights + k] > 0 ? 0 : least[3 * f + k];
                double slab = (coordinates[3 * i + k] - origin) / widths[3 * f + k];
                int count = grids[6 * f + k];
                // What is no number, as where the width is zero, goes to the first.
                bin = bin * count + (slab >= count ? count - 1 : slab > 0 ? (int)slab : 0);
            }
            bins[i] = firstBins[f] + bin;
        }
    }
}

/// <summary>Where each bin's atoms start among the atoms sorted by bin, by bisection. A thread takes a bin.</summary>
internal static class BinStarts
{
    /// <param name="bins">(A) ascending</param>
    /// <param name="starts">(bins + 1), written</param>
    public static void Run(ArrayView<int> bins, ArrayView<int> starts)
    {
        for (int bin = Grid.GlobalIndex.X; bin < starts.IntLength; bin += Grid.DimX * Group.DimX)
        {
            int low = 0, high = bins.IntLength;
            while (low < high)
            {
                int middle = low + (high - low) / 2;
                if (bins[middle] < bin) low = middle + 1;
                else high = middle;
            }
            starts[bin] = low;
        }
    }
}

/// <summary>Positions inside the cell, in the order of bins, so that a bin's atoms stand together. A thread takes a component.</summary>
internal static class BinAtoms
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="cells">(A, 3)</param>
    /// <param name="order">(A) atoms by bin</param>
    /// <param name="wrapped">(A, 3) A, written</param>
    public static void Run(
        ArrayView<double> positions, ArrayView<long> frames, ArrayView<double> boxes, ArrayView<int> cells, ArrayView<long> order,
        ArrayView<double> wrapped)
    {
        for (int n = Grid.GlobalIndex.X; n < wrapped.IntLength; n += Grid.DimX * Group.DimX)
        {
            int slot = n / 3, k = n - 3 * slot, i = (int)order[slot], box = (int)frames[i] * BoxLayout.Length + BoxLayout.Basis;
            wrapped[n] = positions[3 * i + k] - ImageDistance.Shift(boxes, box + k, cells[3 * i], cells[3 * i + 1], cells[3 * i + 2]);
        }
    }
}

/// <summary>
/// Sorts each row's keys: a key's place is the number of lesser ones, for no two of a row are equal. A thread takes an edge.
/// </summary>
internal static class RowOrder
{
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="keys">(E)</param>
    /// <param name="sorted">(E), written</param>
    public static void Run(ArrayView<long> rowStarts, ArrayView<long> receivers, ArrayView<long> keys, ArrayView<long> sorted)
    {
        for (int e = Grid.GlobalIndex.X; e < keys.IntLength; e += Grid.DimX * Group.DimX)
        {
            int row = (int)receivers[e], start = (int)rowStarts[row], end = (int)rowStarts[row + 1], place = start;
            long key = keys[e];
            for (int other = start; other < end; other++) place += keys[other] < key ? 1 : 0;
            sorted[place] = key;
        }
    }
}

/// <summary>
/// <see cref="PairDistance"/> to an image, and equal to it for the image that is not shifted. Rounded one by one, it is to the bit the
/// distance of the host's lists, and the same both ways round.
/// </summary>
internal static class ImageDistance
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="box">Where the basis starts.</param>
    /// <param name="i">Receiver.</param>
    /// <param name="j">Sender.</param>
    /// <param name="a">Lattice vectors by which the sender is moved.</param>
    /// <param name="b">Of the second.</param>
    /// <param name="c">Of the third.</param>
    public static double Squared(ArrayView<double> positions, ArrayView<double> boxes, int box, int i, int j, int a, int b, int c)
    {
        double x = positions[3 * j] - positions[3 * i] + Shift(boxes, box, a, b, c);
        double y = positions[3 * j + 1] - positions[3 * i + 1] + Shift(boxes, box + 1, a, b, c);
        double z = positions[3 * j + 2] - positions[3 * i + 2] + Shift(boxes, box + 2, a, b, c);
        return x * x + y * y + z * z;
    }

    /// <summary>One component, the one that <paramref name="box"/> points to, of a sum of lattice vectors.</summary>
    public static double Shift(ArrayView<double> boxes, int box, int a, int b, int c) =>
        a * boxes[box] + b * boxes[box + 3] + c * boxes[box + 6];
}
