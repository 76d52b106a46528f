using ChemScale.Kernels.Device;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// The images of atoms nearer to an atom than the cutoff, from nearby bins, counted or, by the same lines, written. A thread takes an atom,
/// neighbouring threads atoms of one bin. Where the cell is smaller than the cutoff, a bin is met again in further images.
/// </summary>
internal static class BinPairs
{
    /// <param name="positions">(A, 3) A, as given</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="firstBins">(frames + 1)</param>
    /// <param name="grids">(frames, 6)</param>
    /// <param name="cells">(A, 3)</param>
    /// <param name="starts">(bins + 1) atoms in the order of bins</param>
    /// <param name="order">(A) atoms by bin</param>
    /// <param name="bins">(A) of each of these</param>
    /// <param name="wrapped">(A, 3) A, in that order</param>
    /// <param name="near">A^2; beyond, a distance between wrapped positions is not looked at again</param>
    /// <param name="squaredCutoff">A^2; pairs at this distance are out</param>
    /// <param name="squaredLeast">A^2; atoms nearer than this are at one point</param>
    /// <param name="counts">(A), written by the count; -1 - j where atom j is at the same point</param>
    /// <param name="rowStarts">(A + 1); only to fill</param>
    /// <param name="keys">(E), written by the fill: <see cref="ImageKey"/>s of an atom's row, in the order of bins</param>
    /// <param name="receivers">(E), written by the fill</param>
    [RoundEachOperation]
    public static void Run<TPass>(
        ArrayView<double> positions, ArrayView<long> frames, ArrayView<double> boxes, ArrayView<int> firstBins, ArrayView<int> grids,
        ArrayView<int> cells, ArrayView<int> starts, ArrayView<long> order, ArrayView<int> bins, ArrayView<double> wrapped, double near,
        double squaredCutoff, double squaredLeast, ArrayView<long> counts, ArrayView<long> rowStarts, ArrayView<long> keys,
        ArrayView<long> receivers)
        where TPass : struct, IBinPass
    {
        for (int slot = Grid.GlobalIndex.X; slot < order.IntLength; slot += Grid.DimX * Group.DimX)
        {
            int i = (int)order[slot], f = (int)frames[i], box = f * BoxLayout.Length;
            int countX = grids[6 * f], countY = grids[6 * f + 1], countZ = grids[6 * f + 2];
            int rangeX = grids[6 * f + 3], rangeY = grids[6 * f + 4], rangeZ = grids[6 * f + 5];
            int first = firstBins[f], bin = bins[slot] - first;
            int z = bin % countZ, y = bin / countZ % countY, x = bin / countZ / countY;
            long count = 0, collision = 0;
            int edge = TPass.Fills ? (int)rowStarts[i] : 0;
            for (int nextX = x - rangeX; nextX <= x + rangeX; nextX++)
            {
                int a = Image(nextX, countX);
                if (a != 0 && !(boxes[box + BoxLayout.Heights] > 0)) continue;
                for (int nextY = y - rangeY; nextY <= y + rangeY; nextY++)
                {
                    int b = Image(nextY, countY);
                    if (b != 0 && !(boxes[box + BoxLayout.Heights + 1] > 0)) continue;
                    int row = first + ((nextX - a * countX) * countY + nextY - b * countY) * countZ;
                    // Bins of one image that differ in the last direction alone stand together.
                    for (int c = Image(z - rangeZ, countZ); c <= Image(z + rangeZ, countZ); c++)
                    {
                        if (c != 0 && !(boxes[box + BoxLayout.Heights + 2] > 0)) continue;
                        int low = z - rangeZ - c * countZ, high = z + rangeZ - c * countZ;
                        int from = starts[row + (low > 0 ? low : 0)], to = starts[row + (high < countZ ? high + 1 : countZ)];
                        double ownX = wrapped[3 * slot] - ImageDistance.Shift(boxes, box, a, b, c);
                        double ownY = wrapped[3 * slot + 1] - ImageDistance.Shift(boxes, box + 1, a, b, c);
                        double ownZ = wrapped[3 * slot + 2] - ImageDistance.Shift(boxes, box + 2, a, b, c);
                        for (int other = from; other < to; other++)
                        {
                            double dx = wrapped[3 * other] - ownX, dy = wrapped[3 * other + 1] - ownY, dz = wrapped[3 * other + 2] - ownZ;
                            if (!(dx * dx + dy * dy + dz * dz < near) || (other == slot && (a | b | c) == 0)) continue;
                            int j = (int)order[other];
                            double squared = ImageDistance.Squared(positions, boxes, box, i, j, a + cells[3 * i] - cells[3 * j],
                                b + cells[3 * i + 1] - cells[3 * j + 1], c + cells[3 * i + 2] - cells[3 * j + 2]);
                            if (!(squared < squaredCutoff)) continue;
                            if (TPass.Fills)
                            {
                                keys[edge] = ImageKey.Of(j, a, b, c);
                                receivers[edge] = i;
                                edge++;
                            }
                            else
                            {
                                count++;
                                if (squared < squaredLeast && -1 - j < collision) collision = -1 - j;
                            }
                        }
                    }
                }
            }
            if (!TPass.Fills) counts[i] = collision < 0 ? collision : count;
        }
    }

    /// <summary>In which image of the cell a bin beyond its ends lies.</summary>
    private static int Image(int bin, int count) => bin >= 0 ? bin / count : -((count - 1 - bin) / count);
}

/// <summary>
/// An edge of a known receiver as one number whose order is that of a row: by sender, then by shift between atoms inside the cell. A shift
/// lies between -512 and 511.
/// </summary>
internal static class ImageKey
{
    private const int Bits = 10;
    private const int Bias = 1 << (Bits - 1);
    private const int Mask = (1 << Bits) - 1;

    public static long Of(int sender, int a, int b, int c) =>
        ((((long)sender << Bits | (long)(a + Bias)) << Bits | (long)(b + Bias)) << Bits) | (long)(c + Bias);

    public static int Sender(long key) => (int)(key >> (3 * Bits));

    public static int A(long key) => (int)(key >> (2 * Bits) & Mask) - Bias;

    public static int B(long key) => (int)(key >> Bits & Mask) - Bias;

    public static int C(long key) => (int)(key & Mask) - Bias;
}
