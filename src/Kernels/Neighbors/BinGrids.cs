using ChemScale.Kernels.Device;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// Divides each frame's box into bins, each about as wide as the cutoff where there is room, and no more of them than the frame was given.
/// A thread takes a frame.
/// </summary>
internal static class BinGrids
{
    private const int MostAlong = 1 << 20;

    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="least">(frames, 3) of the atoms' coordinates</param>
    /// <param name="greatest">(frames, 3)</param>
    /// <param name="firstBins">(frames + 1) room for bins</param>
    /// <param name="reach">A: the cutoff and a margin against rounding</param>
    /// <param name="grids">(frames, 6), written: bins along each direction; bins on either side that a cutoff reaches into</param>
    /// <param name="widths">(frames, 3), written: of a bin, in coordinates</param>
    public static void Run(
        ArrayView<double> boxes, ArrayView<double> least, ArrayView<double> greatest, ArrayView<int> firstBins, double reach,
        ArrayView<int> grids, ArrayView<double> widths)
    {
        for (int f = Grid.GlobalIndex.X; f < firstBins.IntLength - 1; f += Grid.DimX * Group.DimX)
        {
            int box = f * BoxLayout.Length + BoxLayout.Heights;
            double heightX = Height(boxes[box], least[3 * f], greatest[3 * f]);
            double heightY = Height(boxes[box + 1], least[3 * f + 1], greatest[3 * f + 1]);
            double heightZ = Height(boxes[box + 2], least[3 * f + 2], greatest[3 * f + 2]);
            int x = Along(heightX / reach), y = Along(heightY / reach), z = Along(heightZ / reach);
            double room = firstBins[f + 1] - firstBins[f];
            while ((double)x * y * z > room)
            {
                if (x >= y && x >= z) x /= 2;
                else if (y >= z) y /= 2;
                else z /= 2;
            }
            Write(boxes[box], heightX, x, reach, grids, widths, f, 0);
            Write(boxes[box + 1], heightY, y, reach, grids, widths, f, 1);
            Write(boxes[box + 2], heightZ, z, reach, grids, widths, f, 2);
        }
    }

    private static double Height(double planes, double least, double greatest)
    {
        double extent = greatest - least;
        return planes > 0 ? planes : extent > 0 ? extent : 0;
    }

    // What is no number gives one bin.
    private static int Along(double bins) => bins >= MostAlong ? MostAlong : bins >= 1 ? (int)bins : 1;

    private static void Write(
        double planes, double height, int count, double reach, ArrayView<int> grids, ArrayView<double> widths, int f, int k)
    {
        double slabs = reach * count / height;
        int range = (int)slabs;
        if (range < slabs) range++;
        bool periodic = planes > 0;
        grids[6 * f + k] = count;
        // No "c ? 1 : 0" beside an integer: ILGPU would make a truth value of both.
        int beside = count - 1 < 1 ? count - 1 : 1;
        grids[6 * f + 3 + k] = periodic ? range : beside;
        widths[3 * f + k] = (periodic ? 1.0 : height) / count;
    }
}

/// <summary>
/// Where the parts of a frame's box stand in its row of <c>boxes</c>: lattice vectors where it repeats and unit vectors where it does not
/// (rows), the inverse of their matrix, and the distances of the planes that repeat, 0 along a direction that does not.
/// </summary>
public static class BoxLayout
{
    public const int Basis = 0;
    public const int Inverse = 9;
    public const int Heights = 18;
    public const int Length = 21;
}

/// <summary>Atoms of a batch of frames, sorted by bin. Shapes are those of <see cref="BinPairs"/>.</summary>
/// <param name="Positions">(A, 3) A</param>
/// <param name="Frames">(A) each atom's frame</param>
/// <param name="Boxes">(frames, 21), see <see cref="BoxLayout"/></param>
/// <param name="FirstBins">(frames + 1) room for each frame's bins</param>
/// <param name="Grids">(frames, 6)</param>
/// <param name="Cells">(A, 3)</param>
/// <param name="Starts">(bins + 1)</param>
/// <param name="Order">(A) atoms by bin</param>
/// <param name="Bins">(A) of each of these</param>
/// <param name="Wrapped">(A, 3) A, in that order</param>
public sealed record BinnedAtoms(
    DeviceArray<double> Positions, DeviceArray<long> Frames, DeviceArray<double> Boxes, DeviceArray<int> FirstBins, DeviceArray<int> Grids,
    DeviceArray<int> Cells, DeviceArray<int> Starts, DeviceArray<long> Order, DeviceArray<int> Bins, DeviceArray<double> Wrapped);
