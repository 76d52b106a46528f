using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.Equivariant;

/// <summary>
/// Real spherical harmonics as polynomials of the vector's components. The polar axis is y and l = 1 is (x, y, z), so that the matrix of
/// a rotation for l = 1 is the rotation itself; components run m = -l .. l, l = 0 first. Each l follows from the one before by coupling
/// with the vector, scaled to 1 at the pole.
/// </summary>
public sealed class SphericalHarmonics : IDisposable
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
        HarmonicPolynomial polynomial = HarmonicPolynomial.First;
        for (int l = 1; l <= maxOrder; l++)
        {
            if (l > 1) polynomial = polynomial.Next();
            degrees[l - 1] = new Degree(polynomial, Factor(l), dtype, device);
        }
    }

    public int MaxOrder { get; }

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
