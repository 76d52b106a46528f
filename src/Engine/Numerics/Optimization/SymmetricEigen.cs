namespace ChemScale.Engine.Numerics.Optimization;

/// <summary>Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi rotations, to full relative precision.</summary>
internal static class SymmetricEigen
{
    /// <param name="matrix">(n, n) row by row; its diagonal holds the eigenvalues afterwards, in no order.</param>
    /// <param name="vectors">(n, n): column k is the eigenvector of the k-th value.</param>
    /// <param name="n">Size.</param>
    public static void Decompose(Span<double> matrix, Span<double> vectors, int n)
    {
        vectors.Clear();
        for (int i = 0; i < n; i++) vectors[i * n + i] = 1;
        for (int sweep = 0; sweep < 60; sweep++)
        {
            double off = 0, diagonal = 0;
            for (int i = 0; i < n; i++)
            {
                diagonal += matrix[i * n + i] * matrix[i * n + i];
                for (int j = 0; j < i; j++) off += matrix[i * n + j] * matrix[i * n + j];
            }
            if (off <= 1e-34 * diagonal || off == 0) return;
            for (int p = 0; p < n - 1; p++)
            {
                for (int q = p + 1; q < n; q++) Rotate(matrix, vectors, n, p, q);
            }
        }
    }

    private static void Rotate(Span<double> a, Span<double> v, int n, int p, int q)
    {
        double apq = a[p * n + q];
        if (apq == 0) return;
        double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        double t = Math.Abs(theta) > 1e150 ? 0.5 / theta : (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
        double c = 1 / Math.Sqrt(t * t + 1), s = t * c;
        a[p * n + p] -= t * apq;
        a[q * n + q] += t * apq;
        a[p * n + q] = a[q * n + p] = 0;
        for (int k = 0; k < n; k++)
        {
            if (k != p && k != q)
            {
                double akp = a[k * n + p], akq = a[k * n + q];
                a[k * n + p] = a[p * n + k] = c * akp - s * akq;
                a[k * n + q] = a[q * n + k] = s * akp + c * akq;
            }
            double vkp = v[k * n + p], vkq = v[k * n + q];
            v[k * n + p] = c * vkp - s * vkq;
            v[k * n + q] = s * vkp + c * vkq;
        }
    }
}
