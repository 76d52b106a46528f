namespace ChemScale.Engine.Atoms.Statistics;

/// <summary>
/// Pseudo-inverse of a small symmetric positive semidefinite matrix by Jacobi's cyclic rotations (Golub and Van Loan, 8.5).
/// </summary>
internal sealed class SymmetricPseudoInverse
{
    private const int MostSweeps = 60;

    /// <summary>Eigenvalues below this share of the largest count as zero.</summary>
    private const double Zero = 1e-12;

    private readonly int _size;
    private readonly double[] _values;
    private readonly double[] _vectors;

    /// <param name="matrix">(size, size), overwritten.</param>
    /// <param name="size">Rows.</param>
    public SymmetricPseudoInverse(double[] matrix, int size)
    {
        _size = size;
        _vectors = new double[size * size];
        for (int i = 0; i < size; i++) _vectors[i * size + i] = 1;
        for (int sweep = 0; sweep < MostSweeps && Sweep(matrix); sweep++)
        {
        }
        _values = [.. Enumerable.Range(0, size).Select(i => matrix[i * size + i])];
    }

    public double[] Times(double[] vector)
    {
        double[] result = new double[_size];
        double largest = _values.DefaultIfEmpty().Max();
        for (int k = 0; k < _size; k++)
        {
            if (_values[k] <= Zero * largest) continue;
            double along = 0;
            for (int i = 0; i < _size; i++) along += _vectors[i * _size + k] * vector[i];
            for (int i = 0; i < _size; i++) result[i] += along / _values[k] * _vectors[i * _size + k];
        }
        return result;
    }

    /// <summary>One rotation for every pair; false where there was nothing left to rotate.</summary>
    private bool Sweep(double[] matrix)
    {
        bool rotated = false;
        for (int p = 0; p < _size; p++)
        {
            for (int q = p + 1; q < _size; q++)
            {
                double off = matrix[p * _size + q], first = matrix[p * _size + p], second = matrix[q * _size + q];
                if (Math.Abs(off) <= 1e-16 * Math.Sqrt(Math.Abs(first * second)) || off == 0) continue;
                rotated = true;
                double theta = (second - first) / (2 * off);
                double t = Math.CopySign(1 / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1)), theta);
                double cos = 1 / Math.Sqrt(t * t + 1), sin = t * cos;
                for (int k = 0; k < _size; k++) Rotate(matrix, k * _size + p, k * _size + q, cos, sin);
                for (int k = 0; k < _size; k++) Rotate(matrix, p * _size + k, q * _size + k, cos, sin);
                for (int k = 0; k < _size; k++) Rotate(_vectors, k * _size + p, k * _size + q, cos, sin);
            }
        }
        return rotated;
    }

    private static void Rotate(double[] values, int p, int q, double cos, double sin)
    {
        double a = values[p], b = values[q];
        values[p] = cos * a - sin * b;
        values[q] = sin * a + cos * b;
    }
}
