using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>float64 in kernels: polynomials of Taylor's coefficients, without the library's tables and branches.</summary>
public readonly struct F64 : IReal<double>
{
    // Adding and subtracting 1.5 x 2^52 rounds to the nearest integer.
    private const double Rounder = 6755399441055744;

    public static double Of(double constant) => constant;

    public static double FromInt(int value) => value;

    public static double LeastNormal => 2.2250738585072014e-308;

    public static double MinusMagnitude(double x) => Interop.IntAsFloat(Interop.FloatAsInt(x) | 0x8000000000000000);

    public static double Sqrt(double x) => Math.Sqrt(x);

    public static double Exp(double x)
    {
        x = x < -750 ? -750 : x;
        x = x > 710 ? 710 : x;
        double n = x * 1.4426950408889634 + Rounder - Rounder;
        // ln 2 in two parts: the first has 33 bits, so that its product with n is exact.
        double r = x - n * 0.6931471804855391 - n * 7.440617110012397e-11;
        double p = 1.0 / 479001600 + r * (1.0 / 6227020800);
        p = 1.0 / 39916800 + r * p;
        p = 1.0 / 3628800 + r * p;
        p = 1.0 / 362880 + r * p;
        p = 1.0 / 40320 + r * p;
        p = 1.0 / 5040 + r * p;
        p = 1.0 / 720 + r * p;
        p = 1.0 / 120 + r * p;
        p = 1.0 / 24 + r * p;
        p = 1.0 / 6 + r * p;
        p = 0.5 + r * p;
        p = 1 + r * (1 + r * p);
        // In two steps, since 2^n alone may lie beyond the range.
        int whole = (int)n, half = whole >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(whole - half);
    }

    public static double Log1p(double x)
    {
        // 2 artanh(u), u = x / (2 + x) at most 1/3.
        double u = x / (2 + x), v = u * u;
        double p = 1.0 / 33 + v * (1.0 / 35);
        p = 1.0 / 31 + v * p;
        p = 1.0 / 29 + v * p;
        p = 1.0 / 27 + v * p;
        p = 1.0 / 25 + v * p;
        p = 1.0 / 23 + v * p;
        p = 1.0 / 21 + v * p;
        p = 1.0 / 19 + v * p;
        p = 1.0 / 17 + v * p;
        p = 1.0 / 15 + v * p;
        p = 1.0 / 13 + v * p;
        p = 1.0 / 11 + v * p;
        p = 1.0 / 9 + v * p;
        p = 1.0 / 7 + v * p;
        p = 1.0 / 5 + v * p;
        p = 1.0 / 3 + v * p;
        return 2 * u + 2 * u * (v * p);
    }

    public static double Log(double x)
    {
        ulong bits = Interop.FloatAsInt(x);
        int exponent = (int)(bits >> 52) - 1023;
        double mantissa = Interop.IntAsFloat((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        // ln 2 in two parts: the first has 33 bits, so that its product is exact.
        double log = Log1p(mantissa - 1) + exponent * 7.440617110012397e-11 + exponent * 0.6931471804855391;
        // NaN and infinity stay as they are.
        return x <= double.MaxValue ? log : x;
    }

    public static SinCos<double> SinCos(double x)
    {
        double n = x * 0.6366197723675814 + Rounder - Rounder;
        // pi/2 in three parts of 33, 33 and 53 bits.
        double r = x - n * 1.5707963267341256 - n * 6.077100506303966e-11 - n * 2.0222662487959506e-21;
        double v = r * r;
        double s = -1.0 / 1307674368000 + v * (1.0 / 355687428096000);
        s = 1.0 / 6227020800 + v * s;
        s = -1.0 / 39916800 + v * s;
        s = 1.0 / 362880 + v * s;
        s = -1.0 / 5040 + v * s;
        s = 1.0 / 120 + v * s;
        s = -1.0 / 6 + v * s;
        s = r + r * (v * s);
        double c = 1.0 / 20922789888000 - v * (1.0 / 6402373705728000);
        c = -1.0 / 87178291200 + v * c;
        c = 1.0 / 479001600 + v * c;
        c = -1.0 / 3628800 + v * c;
        c = 1.0 / 40320 + v * c;
        c = -1.0 / 720 + v * c;
        c = 1.0 / 24 + v * c;
        c = -0.5 + v * c;
        c = 1 + v * c;
        int quarter = (int)n & 3;
        double sine = (quarter & 1) == 0 ? s : c, cosine = (quarter & 1) == 0 ? c : s;
        return new SinCos<double> { Sin = quarter >= 2 ? -sine : sine, Cos = quarter is 1 or 2 ? -cosine : cosine };
    }

    private static double PowerOfTwo(int n) => Interop.IntAsFloat((ulong)(n + 1023L) << 52);
}
