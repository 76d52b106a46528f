using System.Runtime.Intrinsics;

namespace ChemScale.Kernels.Ptx;

// What PtxForms names: an instruction's function of a vector of lanes, or of one lane.
internal readonly struct Sum<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a + b;
}

internal readonly struct Difference<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a - b;
}

internal readonly struct Product<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a * b;
}

internal readonly struct Quotient<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a / b;
}

internal readonly struct Both<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a & b;
}

internal readonly struct Either<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a | b;
}

internal readonly struct Less<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.LessThanOrEqual(a, b);
}

internal readonly struct Equal<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, b);
}

internal readonly struct Greater<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Less<T>.Of(b, a);
}

internal readonly struct GreaterOrEqual<T> : IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => LessOrEqual<T>.Of(b, a);
}

/// <summary>Where a function does not hold: of floating point "or unordered", NaN among the operands.</summary>
internal readonly struct Not<T, TFunction> : IBinary<T>
    where TFunction : struct, IBinary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => ~TFunction.Of(a, b);
}

internal readonly struct Negative<T> : IUnary<T>
{
    public static Vector512<T> Of(Vector512<T> a) =>
        typeof(T) == typeof(float) ? (a.AsUInt32() ^ Vector512.Create(1u << 31)).As<uint, T>()
        : typeof(T) == typeof(double) ? (a.AsUInt64() ^ Vector512.Create(1ul << 63)).As<ulong, T>()
        : Vector512<T>.Zero - a;
}

internal readonly struct Root<T> : IUnary<T>
{
    public static Vector512<T> Of(Vector512<T> a) => Vector512.Sqrt(a);
}

internal readonly struct Reciprocal<T> : IUnary<T>
{
    public static Vector512<T> Of(Vector512<T> a) => Vector512<T>.One / a;
}

/// <summary>a b + c, rounded once.</summary>
internal readonly struct Fused<T> : ITernary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c) =>
        typeof(T) == typeof(float)
            ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
}

/// <summary>a b - c</summary>
internal readonly struct FusedLess<T> : ITernary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c) => Fused<T>.Of(a, b, Negative<T>.Of(c));
}

/// <summary>c - a b</summary>
internal readonly struct FusedFrom<T> : ITernary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c) => Fused<T>.Of(Negative<T>.Of(a), b, c);
}

/// <summary>a b + c of integers.</summary>
internal readonly struct ProductSum<T> : ITernary<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c) => a * b + c;
}

internal readonly struct Left<T> : IShift<T>
    where T : unmanaged
{
    public static unsafe Vector512<T> Of(Vector512<T> a, uint by) => by < 8 * sizeof(T) ? a << (int)by : default;
}

internal readonly struct Right<T> : IShift<T>
    where T : unmanaged
{
    // Of signed types the sign comes in.
    public static unsafe Vector512<T> Of(Vector512<T> a, uint by) =>
        by < 8 * sizeof(T) ? a >> (int)by : typeof(T) == typeof(int) || typeof(T) == typeof(long) ? a >> (8 * sizeof(T) - 1) : default;
}

internal readonly struct SignedQuotient : IQuotient<int>
{
    // Beyond the ends, as the least number by -1 goes, the low half stays.
    public static Vector512<int> Of(Vector512<int> a, Vector512<int> b)
    {
        (Vector512<long> lowA, Vector512<long> highA) = Vector512.Widen(a);
        (Vector512<long> lowB, Vector512<long> highB) = Vector512.Widen(b);
        return Vector512.Narrow(Cut(lowA, lowB), Cut(highA, highB));
    }

    private static Vector512<long> Cut(Vector512<long> a, Vector512<long> b) =>
        Vector512.ConvertToInt64(Vector512.ConvertToDouble(a) / Vector512.ConvertToDouble(b));
}

internal readonly struct SignedRemainder : IQuotient<int>
{
    public static Vector512<int> Of(Vector512<int> a, Vector512<int> b) => a - b * SignedQuotient.Of(a, b);
}

internal readonly struct UnsignedQuotient : IQuotient<uint>
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b)
    {
        (Vector512<ulong> lowA, Vector512<ulong> highA) = Vector512.Widen(a);
        (Vector512<ulong> lowB, Vector512<ulong> highB) = Vector512.Widen(b);
        return Vector512.Narrow(Cut(lowA, lowB), Cut(highA, highB));
    }

    private static Vector512<ulong> Cut(Vector512<ulong> a, Vector512<ulong> b) =>
        Vector512.ConvertToUInt64(Vector512.ConvertToDouble(a) / Vector512.ConvertToDouble(b));
}

/// <summary>Towards zero, to the ends where it does not fit, 0 for NaN: as conversions are here.</summary>
internal readonly struct Truncated : ILane<float, int>, ILane<double, int>
{
    public static int Of(float a, float b) => (int)a;

    public static int Of(double a, double b) => (int)a;
}

internal readonly struct FromInteger : ILane<int, float>, ILane<int, double>
{
    static float ILane<int, float>.Of(int a, int b) => a;

    static double ILane<int, double>.Of(int a, int b) => a;
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
