using System.Numerics;

namespace ChemScale.Engine.Models.Equivariant;

/// <summary>
/// Real Wigner 3j symbols: the one coupling of three angular momenta that no rotation changes, sum_abc w[a,b,c] Y_l1,a Y_l2,b Y_l3,c, in
/// the basis of <see cref="SphericalHarmonics"/>. Frobenius norm 1; signs follow from Condon and Shortley's phases with the factor (-i)^l
/// on the change from complex to real harmonics, which makes every symbol real.
/// </summary>
internal static class Wigner3j
{
    /// <returns>(2 l1 + 1, 2 l2 + 1, 2 l3 + 1), components m = -l .. l</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative order, or orders that break the triangle rule.</exception>
    public static double[,,] Of(int l1, int l2, int l3)
    {
        if (l1 < 0 || l2 < 0 || l3 < Math.Abs(l1 - l2) || l3 > l1 + l2)
            throw new ArgumentOutOfRangeException(nameof(l3), (l1, l2, l3), "orders must obey the triangle rule");
        var w = new double[2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1];
        // A complex component m reaches only the real components m and -m.
        for (int m1 = -l1; m1 <= l1; m1++)
        {
            for (int m2 = -l2; m2 <= l2; m2++)
            {
                int m3 = m1 + m2;
                if (Math.Abs(m3) > l3) continue;
                double coupling = ClebschGordan(l1, m1, l2, m2, l3, m3);
                foreach (int a in Signs(m1))
                    foreach (int b in Signs(m2))
                        foreach (int c in Signs(m3))
                            w[l1 + a, l2 + b, l3 + c] +=
                                coupling * (RealToComplex(l1, m1, a) * RealToComplex(l2, m2, b) * Complex.Conjugate(RealToComplex(l3, m3, c))).Real;
            }
        }
        double norm = Math.Sqrt(w.Cast<double>().Sum(x => x * x));
        for (int a = 0; a < w.GetLength(0); a++)
            for (int b = 0; b < w.GetLength(1); b++)
                for (int c = 0; c < w.GetLength(2); c++)
                    w[a, b, c] = Math.Abs(w[a, b, c]) < 1e-14 ? 0 : w[a, b, c] / norm;
        return w;
    }

    /// <summary>&lt;l1 m1 l2 m2 | l3 m3&gt; by Racah's sum.</summary>
    internal static double ClebschGordan(int l1, int m1, int l2, int m2, int l3, int m3)
    {
        if (m1 + m2 != m3) return 0;
        double outer = (2 * l3 + 1) * F(l3 + l1 - l2) * F(l3 - l1 + l2) * F(l1 + l2 - l3) / F(l1 + l2 + l3 + 1)
            * F(l3 + m3) * F(l3 - m3) * F(l1 - m1) * F(l1 + m1) * F(l2 - m2) * F(l2 + m2);
        double sum = 0;
        int first = Math.Max(0, Math.Max(l2 - l3 - m1, l1 - l3 + m2)), last = Math.Min(l1 + l2 - l3, Math.Min(l1 - m1, l2 + m2));
        for (int k = first; k <= last; k++)
        {
            double term = F(k) * F(l1 + l2 - l3 - k) * F(l1 - m1 - k) * F(l2 + m2 - k) * F(l3 - l2 + m1 + k) * F(l3 - l1 - m2 + k);
            sum += (k % 2 == 0 ? 1 : -1) / term;
        }
        return Math.Sqrt(outer) * sum;
    }

    /// <summary>Component of the complex harmonic m on the real one a, a = m or -m.</summary>
    private static Complex RealToComplex(int l, int m, int a)
    {
        Complex phase = (l % 4) switch { 0 => Complex.One, 1 => -Complex.ImaginaryOne, 2 => -Complex.One, _ => Complex.ImaginaryOne };
        if (m == 0) return phase;
        double sign = m > 0 && m % 2 != 0 ? -1 : 1;
        Complex part = a > 0 ? Complex.One : new Complex(0, Math.Sign(m));
        return phase * part * sign / Math.Sqrt(2);
    }

    private static int[] Signs(int m) => m == 0 ? [0] : [m, -m];

    private static double F(int n)
    {
        double product = 1;
        for (int i = 2; i <= n; i++) product *= i;
        return product;
    }
}

/// <summary>An irreducible representation of rotations and reflections: 2 l + 1 components that turn among themselves.</summary>
/// <param name="Order">l</param>
/// <param name="Parity">What inversion multiplies them by: 1 (even) or -1 (odd).</param>
internal readonly record struct Irrep(int Order, int Parity)
{
    /// <summary>0e: what nothing changes.</summary>
    public static Irrep Scalar { get; } = new(0, 1);

    /// <summary>2 l + 1</summary>
    public int Components => 2 * Order + 1;

    /// <summary>That of the spherical harmonics of an order: 0e, 1o, 2e, 3o.</summary>
    public static Irrep OfHarmonics(int order) => new(order, order % 2 == 0 ? 1 : -1);

    /// <summary>Whether the product of two representations holds <paramref name="result"/>.</summary>
    public bool CouplesWith(Irrep other, Irrep result) =>
        Parity * other.Parity == result.Parity && result.Order >= Math.Abs(Order - other.Order) && result.Order <= Order + other.Order;

    /// <summary><c>0e</c>, <c>1o</c> and so on.</summary>
    public override string ToString() => $"{Order}{(Parity > 0 ? 'e' : 'o')}";
}
