using ChemScale.Engine.Operators.Allegro;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.Equivariant;

/// <summary>
/// Real spherical harmonics as polynomials of the vector's components. The polar axis is y and l = 1 is (x, y, z), so that the matrix of
/// a rotation for l = 1 is the rotation itself; components run m = -l .. l, l = 0 first. Each l follows from the one before by coupling
/// with the vector, scaled to 1 at the pole.
/// </summary>
internal sealed class SphericalHarmonics : IDisposable
{
    private readonly HarmonicScale scale;
    private readonly Degree[] degrees;

    /// <param name="maxOrder">L, 0 or more.</param>
    /// <param name="scale">Norm of each order on unit vectors.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">null: the CPU.</param>
    public SphericalHarmonics(int maxOrder, HarmonicScale scale, ScalarType dtype = ScalarType.Float32, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxOrder);
        MaxOrder = maxOrder;
        this.scale = scale;
        degrees = new Degree[maxOrder];
        var polynomials = new HarmonicDegree[maxOrder];
        HarmonicPolynomial polynomial = HarmonicPolynomial.First;
        for (int l = 1; l <= maxOrder; l++)
        {
            if (l > 1) polynomial = polynomial.Next();
            degrees[l - 1] = new Degree(polynomial, Factor(l), dtype, device);
            double[,] coefficients = (double[,])polynomial.Coefficients.Clone();
            for (int m = 0; m < coefficients.GetLength(0); m++)
                for (int k = 0; k < coefficients.GetLength(1); k++) coefficients[m, k] *= Factor(l);
            polynomials[l - 1] = new HarmonicDegree(polynomial.Lower, polynomial.Axis, coefficients);
        }
        Polynomials = polynomials;
    }

    public int MaxOrder { get; }

    /// <summary>Orders 1 .. L as numbers, scaled.</summary>
    public IReadOnlyList<HarmonicDegree> Polynomials { get; }

    /// <summary>(L + 1)^2</summary>
    public int Components => (MaxOrder + 1) * (MaxOrder + 1);

    /// <summary>
    /// For unit vectors, the harmonics of the direction; else the solid ones, r^l Y_l(r / |r|), which need no division and are smooth at 0.
    /// </summary>
    /// <param name="vectors">(n, 3)</param>
    /// <returns>(n, (L + 1)^2)</returns>
    public Tensor Of(Tensor vectors)
    {
        using DisposeScope scope = NewDisposeScope();
        var orders = new List<Tensor> { full([vectors.shape[0], 1], Factor(0), dtype: vectors.dtype, device: vectors.device) };
        Tensor monomials = vectors;
        for (int l = 1; l <= MaxOrder; l++)
        {
            Degree degree = degrees[l - 1];
            if (l > 1) monomials = monomials.index_select(1, degree.Lower) * vectors.index_select(1, degree.Axis);
            orders.Add(monomials.matmul(degree.Coefficients));
        }
        return cat(orders, 1).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (Degree degree in degrees) degree.Dispose();
    }

    private double Factor(int l) => scale switch
    {
        HarmonicScale.Unit => 1,
        HarmonicScale.Component => Math.Sqrt(2 * l + 1),
        _ => Math.Sqrt((2 * l + 1) / (4 * Math.PI)),
    };

    /// <summary>How the monomials of one degree follow from those of the degree below, and the harmonics from them.</summary>
    private sealed class Degree : IDisposable
    {
        public Degree(HarmonicPolynomial polynomial, double factor, ScalarType dtype, Device? device)
        {
            Lower = tensor(polynomial.Lower, device: device).DetachFromDisposeScope();
            Axis = tensor(polynomial.Axis, device: device).DetachFromDisposeScope();
            using Tensor values = tensor(polynomial.Coefficients, dtype: dtype, device: device);
            Coefficients = (values * factor).DetachFromDisposeScope();
        }

        public Tensor Lower { get; }

        public Tensor Axis { get; }

        /// <summary>(monomials, 2 l + 1)</summary>
        public Tensor Coefficients { get; }

        public void Dispose()
        {
            Lower.Dispose();
            Axis.Dispose();
            Coefficients.Dispose();
        }
    }
}

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

/// <summary>Norm of the 2 l + 1 harmonics of one order on a unit vector.</summary>
internal enum HarmonicScale
{
    /// <summary>1</summary>
    Unit,

    /// <summary>sqrt(2 l + 1): each component has mean square 1 over the sphere.</summary>
    Component,

    /// <summary>sqrt((2 l + 1) / 4 pi): orthonormal over the sphere.</summary>
    Integral,
}
