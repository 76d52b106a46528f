using ILGPU;

namespace ChemScale.Kernels.Neighbors;

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
