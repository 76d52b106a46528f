namespace ChemScale.Engine.Numerics;

/// <summary>
/// Sobol's sequence in two to four dimensions by the direction numbers of Joe and Kuo (2008, set new-joe-kuo-6), in Gray-code order; with
/// a seed, shifted digit by digit (exclusive or), which keeps what makes it even: of any 2^m points in a row that begin at a multiple of
/// 2^m, each 2^m-th part of every axis holds exactly one.
/// </summary>
internal sealed class SobolSequence
{
    public const int FewestDimensions = 2, MostDimensions = 4;

    private const int Bits = 32;

    // Degree s, coefficients a and first m_i of the primitive polynomial of dimensions 2, 3 and 4; the first is van der Corput's.
    private static readonly (int Degree, uint Coefficients, uint[] First)[] Polynomials = [(1, 0, [1]), (2, 1, [1, 3]), (3, 1, [1, 3, 1])];

    private readonly uint[][] directions;
    private readonly uint[] shift;

    /// <param name="dimensions">2 to 4.</param>
    /// <param name="seed">Of the shift; null: the published points, the origin first.</param>
    public SobolSequence(int dimensions, ulong? seed = null)
    {
        if (dimensions is < FewestDimensions or > MostDimensions)
            throw new InputException("Sobol dimensions", $"{dimensions}", $"{FewestDimensions} to {MostDimensions}");
        directions = [.. Enumerable.Range(0, dimensions).Select(Directions)];
        shift = new uint[dimensions];
        if (seed is not { } s) return;
        var random = new CounterRandom(s, 0);
        for (int k = 0; k < dimensions; k++) shift[k] = (uint)(random.NextDouble() * (1UL << Bits));
    }

    /// <summary>Point number <paramref name="index"/>, from 0; (dimensions) numbers in [0, 1).</summary>
    public double[] Point(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        uint gray = (uint)index ^ ((uint)index >> 1);
        double[] point = new double[directions.Length];
        for (int k = 0; k < point.Length; k++)
        {
            uint x = shift[k];
            for (int bit = 0; bit < Bits; bit++) if ((gray >> bit & 1) != 0) x ^= directions[k][bit];
            point[k] = x / (double)(1UL << Bits);
        }
        return point;
    }

    private static uint[] Directions(int dimension)
    {
        uint[] v = new uint[Bits];
        if (dimension == 0)
        {
            for (int i = 0; i < Bits; i++) v[i] = 1u << (Bits - 1 - i);
            return v;
        }
        (int s, uint a, uint[] m) = Polynomials[dimension - 1];
        for (int i = 0; i < Bits; i++)
        {
            if (i < s)
            {
                v[i] = m[i] << (Bits - 1 - i);
                continue;
            }
            v[i] = v[i - s] ^ (v[i - s] >> s);
            for (int k = 1; k < s; k++) if ((a >> (s - 1 - k) & 1) != 0) v[i] ^= v[i - k];
        }
        return v;
    }
}
