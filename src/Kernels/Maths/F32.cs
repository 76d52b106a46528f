using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>float32 in kernels. The device's own sine has no range reduction and its exponential loses bits far from zero.</summary>
public readonly struct F32 : IReal<float>
{
    // Adding and subtracting 1.5 x 2^23 rounds to the nearest integer.
    private const float Rounder = 12582912;

    public static float Of(double constant) => (float)constant;

    public static float FromInt(int value) => value;

    public static float LeastNormal => 1.17549435e-38f;

    public static float MinusMagnitude(float x) => Interop.IntAsFloat(Interop.FloatAsInt(x) | 0x80000000);

    public static float Sqrt(float x) => MathF.Sqrt(x);

    public static float Exp(float x)
    {
        x = x < -105 ? -105 : x;
        x = x > 90 ? 90 : x;
        float n = x * 1.44269504f + Rounder - Rounder;
        // ln 2 in two parts: the first has 10 bits, so that its product with n is exact.
        float r = x - n * 0.6923828125f - n * 7.6436806e-4f;
        float p = 1f / 720 + r * (1f / 5040);
        p = 1f / 120 + r * p;
        p = 1f / 24 + r * p;
        p = 1f / 6 + r * p;
        p = 0.5f + r * p;
        p = 1 + r * (1 + r * p);
        // In two steps, since 2^n alone may lie beyond the range.
        int whole = (int)n, half = whole >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(whole - half);
    }

    public static float Log1p(float x)
    {
        // 2 artanh(u), u = x / (2 + x) at most 1/3.
        float u = x / (2 + x), v = u * u;
        float p = 1f / 13 + v * (1f / 15);
        p = 1f / 11 + v * p;
        p = 1f / 9 + v * p;
        p = 1f / 7 + v * p;
        p = 1f / 5 + v * p;
        p = 1f / 3 + v * p;
        return 2 * u + 2 * u * (v * p);
    }

    public static float Log(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        int exponent = (int)(bits >> 23) - 127;
        float mantissa = Interop.IntAsFloat((bits & 0x7FFFFF) | 0x3F800000);
        // ln 2 in two parts: the first has 10 bits, so that its product is exact.
        float log = Log1p(mantissa - 1) + exponent * 7.6436806e-4f + exponent * 0.6923828125f;
        // NaN and infinity stay as they are.
        return x <= float.MaxValue ? log : x;
    }

    public static SinCos<float> SinCos(float x)
    {
        float n = x * 0.636619772f + Rounder - Rounder;
        // pi/2 in three parts of 10, 10 and 24 bits.
        float r = x - n * 1.5703125f - n * 4.8351287841796875e-4f - n * 3.139164786504813e-7f;
        float v = r * r;
        float s = -1f / 5040 + v * (1f / 362880);
        s = 1f / 120 + v * s;
        s = -1f / 6 + v * s;
        s = r + r * (v * s);
        float c = 1f / 40320 - v * (1f / 3628800);
        c = -1f / 720 + v * c;
        c = 1f / 24 + v * c;
        c = -0.5f + v * c;
        c = 1 + v * c;
        int quarter = (int)n & 3;
        float sine = (quarter & 1) == 0 ? s : c, cosine = (quarter & 1) == 0 ? c : s;
        return new SinCos<float> { Sin = quarter >= 2 ? -sine : sine, Cos = quarter is 1 or 2 ? -cosine : cosine };
    }

    private static float PowerOfTwo(int n) => Interop.IntAsFloat((uint)((n + 127) << 23));
}
