namespace ChemScale.Engine.Models.Equivariant;

/// <summary>
/// The 2 l + 1 harmonics of one order as homogeneous polynomials, 1 at the pole (0, 1, 0): coefficients over the monomials
/// x^a y^b z^c with a + b + c = l.
/// </summary>
internal sealed class HarmonicPolynomial
{
    private readonly int order;
    private readonly (int X, int Y, int Z)[] monomials;

    private HarmonicPolynomial(int order, double[,] coefficients, long[] lower, long[] axis)
    {
        this.order = order;
        monomials = Monomials(order);
        Coefficients = coefficients;
        Lower = lower;
        Axis = axis;
    }

    /// <summary>l = 1: x, y, z.</summary>
    public static HarmonicPolynomial First { get; } = new(1, new double[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, [0, 0, 0], [0, 1, 2]);

    /// <summary>(monomials, 2 l + 1)</summary>
    public double[,] Coefficients { get; }

    /// <summary>(monomials) Each monomial is the lower degree's monomial of this index times the component <see cref="Axis"/>.</summary>
    public long[] Lower { get; }

    /// <summary>(monomials) 0, 1, 2: x, y, z.</summary>
    public long[] Axis { get; }

    /// <summary>l + 1 by coupling l with the vector.</summary>
    public HarmonicPolynomial Next()
    {
        int l = order + 1;
        (int X, int Y, int Z)[] next = Monomials(l);
        double[,,] w = Wigner3j.Of(1, order, l);
        var coefficients = new double[next.Length, 2 * l + 1];
        for (int i = 0; i < 3; i++)
        {
            for (int monomial = 0; monomial < monomials.Length; monomial++)
            {
                int row = Array.IndexOf(next, Times(monomials[monomial], i));
                for (int j = 0; j < 2 * order + 1; j++)
                    for (int k = 0; k < 2 * l + 1; k++)
                        coefficients[row, k] += w[i, j, k] * Coefficients[monomial, j];
            }
        }
        double pole = coefficients[Array.IndexOf(next, (0, l, 0)), l];
        for (int row = 0; row < next.Length; row++)
            for (int k = 0; k < 2 * l + 1; k++)
                coefficients[row, k] /= pole;

        var lower = new long[next.Length];
        var axis = new long[next.Length];
        for (int row = 0; row < next.Length; row++)
        {
            (int x, int y, int z) = next[row];
            axis[row] = x > 0 ? 0 : y > 0 ? 1 : 2;
            lower[row] = Array.IndexOf(monomials, x > 0 ? (x - 1, y, z) : y > 0 ? (x, y - 1, z) : (x, y, z - 1));
        }
        return new HarmonicPolynomial(l, coefficients, lower, axis);
    }

    private static (int X, int Y, int Z) Times((int X, int Y, int Z) monomial, int axis) =>
        (monomial.X + (axis == 0 ? 1 : 0), monomial.Y + (axis == 1 ? 1 : 0), monomial.Z + (axis == 2 ? 1 : 0));

    private static (int X, int Y, int Z)[] Monomials(int degree) =>
        [.. from x in Enumerable.Range(0, degree + 1).Reverse() from y in Enumerable.Range(0, degree - x + 1).Reverse() select (x, y, degree - x - y)];
}
