namespace ChemScale.Engine.Atoms;

/// <summary>Geometry of a cell (3, 3) whose rows are lattice vectors.</summary>
public static class CellGeometry
{
    /// <summary>a . (b x c): the signed volume.</summary>
    public static double Determinant(ReadOnlySpan<double> cell) =>
        cell[0] * (cell[4] * cell[8] - cell[5] * cell[7])
        - cell[1] * (cell[3] * cell[8] - cell[5] * cell[6])
        + cell[2] * (cell[3] * cell[7] - cell[4] * cell[6]);

    /// <summary>(3, 3) The inverse: position . inverse = fractional coordinates.</summary>
    public static double[] Inverse(ReadOnlySpan<double> cell)
    {
        double scale = 1 / Determinant(cell);
        double[] inverse = new double[9];
        for (int row = 0; row < 3; row++)
        {
            Cross(cell.Slice((row + 1) % 3 * 3, 3), cell.Slice((row + 2) % 3 * 3, 3), out double x, out double y, out double z);
            inverse[row] = x * scale;
            inverse[3 + row] = y * scale;
            inverse[6 + row] = z * scale;
        }
        return inverse;
    }

    /// <summary>Distance between the two faces that lattice vector <paramref name="direction"/> joins.</summary>
    public static double Height(ReadOnlySpan<double> cell, int direction)
    {
        Cross(cell.Slice((direction + 1) % 3 * 3, 3), cell.Slice((direction + 2) % 3 * 3, 3), out double x, out double y, out double z);
        return Math.Abs(Determinant(cell)) / Math.Sqrt(x * x + y * y + z * z);
    }

    internal static void Cross(ReadOnlySpan<double> a, ReadOnlySpan<double> b, out double x, out double y, out double z)
    {
        x = a[1] * b[2] - a[2] * b[1];
        y = a[2] * b[0] - a[0] * b[2];
        z = a[0] * b[1] - a[1] * b[0];
    }
}
