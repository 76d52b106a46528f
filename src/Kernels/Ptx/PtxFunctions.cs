using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ChemScale.Kernels.Ptx;

// What PtxForms names: an instruction's function of a vector of lanes, or of one lane.
internal readonly struct Sum<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => a + b;
}

internal readonly struct Difference<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => a - b;
}

internal readonly struct Product<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => a * b;
}

internal readonly struct Quotient<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => a / b;
}

internal readonly struct Both<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => a & b;
}

internal readonly struct Either<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => a | b;
}

internal readonly struct Less<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => Vector256.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => Vector256.LessThanOrEqual(a, b);
}

internal readonly struct Equal<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => Vector256.Equals(a, b);
}

internal readonly struct Greater<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => Less<T>.Of(b, a);
}

internal readonly struct GreaterOrEqual<T> : IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => LessOrEqual<T>.Of(b, a);
}

internal readonly struct Same<T> : IUnary<T, T>
{
    public static Vector256<T> Of(Vector256<T> a) => a;
}

internal readonly struct SamePredicate : IPredicate
{
    public static uint Of(uint a, uint b) => a;
}

internal readonly struct BothPredicates : IPredicate
{
    public static uint Of(uint a, uint b) => a & b;
}

internal readonly struct EitherPredicate : IPredicate
{
    public static uint Of(uint a, uint b) => a | b;
}

/// <summary>A function of what another one gives, each rounded as if it stood alone.</summary>
internal readonly struct Then<T, TFirst, TSecond> : ITernary<T>
    where TFirst : struct, IBinary<T>
    where TSecond : struct, IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c) => TSecond.Of(TFirst.Of(a, b), c);
}

/// <inheritdoc cref="Then{T, TFirst, TSecond}"/>
/// <remarks>Which takes it as its second operand.</remarks>
internal readonly struct Into<T, TFirst, TSecond> : ITernary<T>
    where TFirst : struct, IBinary<T>
    where TSecond : struct, IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c) => TSecond.Of(c, TFirst.Of(a, b));
}

/// <summary>Where a function does not hold: of floating point "or unordered", NaN among the operands.</summary>
internal readonly struct Not<T, TFunction> : IBinary<T>
    where TFunction : struct, IBinary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b) => ~TFunction.Of(a, b);
}

internal readonly struct Negative<T> : IUnary<T, T>
{
    public static Vector256<T> Of(Vector256<T> a) =>
        typeof(T) == typeof(float) ? (a.AsUInt32() ^ Vector256.Create(1u << 31)).As<uint, T>()
        : typeof(T) == typeof(double) ? (a.AsUInt64() ^ Vector256.Create(1ul << 63)).As<ulong, T>()
        : Vector256<T>.Zero - a;
}

internal readonly struct Root<T> : IUnary<T, T>
{
    public static Vector256<T> Of(Vector256<T> a) => Vector256.Sqrt(a);
}

internal readonly struct Reciprocal<T> : IUnary<T, T>
{
    public static Vector256<T> Of(Vector256<T> a) => Vector256<T>.One / a;
}

/// <summary>a b + c, rounded once.</summary>
internal readonly struct Fused<T> : ITernary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c) =>
        typeof(T) == typeof(float)
            ? Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
}

/// <summary>a b - c</summary>
internal readonly struct FusedLess<T> : ITernary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c) => Fused<T>.Of(a, b, Negative<T>.Of(c));
}

/// <summary>c - a b</summary>
internal readonly struct FusedFrom<T> : ITernary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c) => Fused<T>.Of(Negative<T>.Of(a), b, c);
}

/// <summary>a b + c of integers.</summary>
internal readonly struct ProductSum<T> : ITernary<T>
{
    public static Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c) => a * b + c;
}

internal readonly struct Left<T> : IShift<T>
    where T : unmanaged
{
    public static unsafe Vector256<T> Of(Vector256<T> a, uint by) => by < 8 * sizeof(T) ? a << (int)by : default;
}

internal readonly struct Right<T> : IShift<T>
    where T : unmanaged
{
    // Of signed types the sign comes in.
    public static unsafe Vector256<T> Of(Vector256<T> a, uint by) =>
        by < 8 * sizeof(T) ? a >> (int)by : typeof(T) == typeof(int) || typeof(T) == typeof(long) ? a >> (8 * sizeof(T) - 1) : default;
}

/// <summary>By way of float64, whose quotients of 32-bit integers are right when they are cut.</summary>
internal readonly struct SignedQuotient : IBinary<int>
{
    // Beyond the ends, as the least number by -1 goes, the low half stays.
    public static Vector256<int> Of(Vector256<int> a, Vector256<int> b) =>
        Vector256.Create(Cut(a.GetLower(), b.GetLower()), Cut(a.GetUpper(), b.GetUpper()));

    private static Vector128<int> Cut(Vector128<int> a, Vector128<int> b)
    {
        if (Avx.IsSupported)
            return Avx.ConvertToVector128Int32WithTruncation(Avx.ConvertToVector256Double(a) / Avx.ConvertToVector256Double(b));
        for (int k = 0; k < Vector128<int>.Count; k++) a = a.WithElement(k, (int)((long)a[k] / b[k]));
        return a;
    }
}

internal readonly struct SignedRemainder : IBinary<int>
{
    public static Vector256<int> Of(Vector256<int> a, Vector256<int> b) => a - b * SignedQuotient.Of(a, b);
}

/// <inheritdoc cref="SignedQuotient"/>
internal readonly struct UnsignedQuotient : IBinary<uint>
{
    public static Vector256<uint> Of(Vector256<uint> a, Vector256<uint> b) =>
        Vector256.Create(Cut(a.GetLower(), b.GetLower()), Cut(a.GetUpper(), b.GetUpper()));

    private static Vector128<uint> Cut(Vector128<uint> a, Vector128<uint> b)
    {
        if (Avx.IsSupported)
        {
            // Conversions are those of signed integers: around the middle.
            Vector256<double> middle = Vector256.Create(2147483648.0), quotient = Vector256.Floor(Wide(a) / Wide(b)) - middle;
            return Avx.ConvertToVector128Int32WithTruncation(quotient).AsUInt32() ^ Vector128.Create(1u << 31);
        }
        for (int k = 0; k < Vector128<uint>.Count; k++) a = a.WithElement(k, a[k] / b[k]);
        return a;

        Vector256<double> Wide(Vector128<uint> x) =>
            Avx.ConvertToVector256Double((x ^ Vector128.Create(1u << 31)).AsInt32()) + Vector256.Create(2147483648.0);
    }
}

/// <summary>Towards zero, to the ends where it does not fit, 0 for NaN: as conversions are here.</summary>
internal readonly struct Truncated : IUnary<float, int>, ILane<double, int>
{
    public static Vector256<int> Of(Vector256<float> a) => Vector256.ConvertToInt32(a);

    public static int Of(double a, double b) => (int)a;
}

internal readonly struct FromInteger : IUnary<int, float>, ILane<int, double>
{
    public static Vector256<float> Of(Vector256<int> a) => Vector256.ConvertToSingle(a);

    public static double Of(int a, int b) => a;
}

/// <summary>The nearest bfloat16 of each, ties to even; the first operand in the upper half.</summary>
internal readonly struct Bfloat16Pair : ILane<float, uint>
{
    public static uint Of(float a, float b) => Nearest(a) << 16 | Nearest(b);

    private static uint Nearest(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }
}

/// <summary>2^a, subnormal numbers as zero. A device's own is within two units.</summary>
internal readonly struct PowerOfTwo : ILane<float, float>
{
    public static float Of(float a, float b)
    {
        float power = (float)Math.Pow(2, a);
        return float.IsSubnormal(power) ? 0 : power;
    }
}
