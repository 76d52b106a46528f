namespace ChemScale.Engine.Scaling.Families;

/// <summary>A small system of linear equations, by elimination with row pivots.</summary>
internal static class Elimination
{
    /// <param name="system">(n, n + 1): matrix and right side; overwritten.</param>
    /// <param name="n">Unknowns.</param>
    /// <returns>Null where the matrix is singular to rounding.</returns>
    public static double[]? Solve(double[] system, int n)
    {
        int width = n + 1;
        for (int c = 0; c < n; c++)
        {
            int pivot = c;
            for (int r = c + 1; r < n; r++) if (Math.Abs(system[r * width + c]) > Math.Abs(system[pivot * width + c])) pivot = r;
            if (!(Math.Abs(system[pivot * width + c]) > 1e-300)) return null;
            for (int j = c; j < width; j++)
                (system[c * width + j], system[pivot * width + j]) = (system[pivot * width + j], system[c * width + j]);
            for (int r = c + 1; r < n; r++)
            {
                double factor = system[r * width + c] / system[c * width + c];
                for (int j = c; j < width; j++) system[r * width + j] -= factor * system[c * width + j];
            }
        }
        double[] x = new double[n];
        for (int r = n - 1; r >= 0; r--)
        {
            double sum = system[r * width + n];
            for (int j = r + 1; j < n; j++) sum -= system[r * width + j] * x[j];
            x[r] = sum / system[r * width + r];
        }
        return x;
    }
}
