using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Atoms.Statistics;

/// <summary>Pseudo-inverse of a small symmetric positive semidefinite matrix by its eigenvectors.</summary>
internal sealed class SymmetricPseudoInverse
{
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
        SymmetricEigen.Decompose(matrix, _vectors, size);
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
}
