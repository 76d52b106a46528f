using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>4 doubles in a 256-bit vector.</summary>
internal readonly unsafe struct DoubleLanes4 : ILanes<DoubleLanes4, double>
{
    private readonly Vector256<double> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DoubleLanes4(Vector256<double> value) => this.value = value;

    public static int Count => 4;

    public static DoubleLanes4 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Load(double* address) => new(Vector256.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(double* address, DoubleLanes4 value) => Vector256.Store(value.value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 All(double value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Add(DoubleLanes4 a, DoubleLanes4 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Subtract(DoubleLanes4 a, DoubleLanes4 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Multiply(DoubleLanes4 a, DoubleLanes4 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Divide(DoubleLanes4 a, DoubleLanes4 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Fma(DoubleLanes4 a, DoubleLanes4 b, DoubleLanes4 c) => new(Vector256.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Max(DoubleLanes4 a, DoubleLanes4 b) => new(Vector256.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Min(DoubleLanes4 a, DoubleLanes4 b) => new(Vector256.MinNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Sqrt(DoubleLanes4 x) => new(Vector256.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Normal(DoubleLanes4 x) => new(Vector256.AndNot(x.value, Vector256.LessThan(Vector256.Abs(x.value), Vector256.Create(2.2250738585072014e-308))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Reciprocal(DoubleLanes4 x) => new(Vector256<double>.One / x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Exp2(DoubleLanes4 x) =>
        new(Vector256.Exp(x.value * Vector256.Create(0.69314718055994531)) & Vector256.GreaterThanOrEqual(x.value, Vector256.Create(-100d)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Exp2(ref DoubleLanes4 a, ref DoubleLanes4 b, ref DoubleLanes4 c, ref DoubleLanes4 d) => (a, b, c, d) = (Exp2(a), Exp2(b), Exp2(c), Exp2(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Exp(DoubleLanes4 x)
    {
        return new(Vector256.Exp(x.value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Log(DoubleLanes4 x) => new(Vector256.Log(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(DoubleLanes4 x) => Vector256.Sum(x.value);

    public static double Greatest(DoubleLanes4 x)
    {
        double greatest = x.value[0];
        for (int lane = 1; lane < Count; lane++) greatest = Math.Max(greatest, x.value[lane]);
        return greatest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 SelectRange(int low, int high, DoubleLanes4 value, DoubleLanes4 other)
    {
        Vector256<long> lane = Vector256<long>.Indices;
        Vector256<long> inside = Vector256.GreaterThanOrEqual(lane, Vector256.Create((long)low)) & Vector256.LessThan(lane, Vector256.Create((long)high));
        return new(Vector256.ConditionalSelect(inside.AsDouble(), value.value, other.value));
    }
}

/// <summary>8 doubles in a 512-bit vector.</summary>
internal readonly unsafe struct DoubleLanes8 : ILanes<DoubleLanes8, double>
{
    private readonly Vector512<double> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DoubleLanes8(Vector512<double> value) => this.value = value;

    public static int Count => 8;

    public static DoubleLanes8 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Load(double* address) => new(Vector512.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(double* address, DoubleLanes8 value) => Vector512.Store(value.value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 All(double value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Add(DoubleLanes8 a, DoubleLanes8 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Subtract(DoubleLanes8 a, DoubleLanes8 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Multiply(DoubleLanes8 a, DoubleLanes8 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Divide(DoubleLanes8 a, DoubleLanes8 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Fma(DoubleLanes8 a, DoubleLanes8 b, DoubleLanes8 c) => new(Vector512.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Max(DoubleLanes8 a, DoubleLanes8 b) => new(Vector512.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Min(DoubleLanes8 a, DoubleLanes8 b) => new(Vector512.MinNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Sqrt(DoubleLanes8 x) => new(Vector512.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Normal(DoubleLanes8 x) => new(Vector512.AndNot(x.value, Vector512.LessThan(Vector512.Abs(x.value), Vector512.Create(2.2250738585072014e-308))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Reciprocal(DoubleLanes8 x) => new(Vector512<double>.One / x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Exp2(DoubleLanes8 x) =>
        new(Vector512.Exp(x.value * Vector512.Create(0.69314718055994531)) & Vector512.GreaterThanOrEqual(x.value, Vector512.Create(-100d)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Exp2(ref DoubleLanes8 a, ref DoubleLanes8 b, ref DoubleLanes8 c, ref DoubleLanes8 d) => (a, b, c, d) = (Exp2(a), Exp2(b), Exp2(c), Exp2(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Exp(DoubleLanes8 x)
    {
        return new(Vector512.Exp(x.value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 Log(DoubleLanes8 x) => new(Vector512.Log(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(DoubleLanes8 x) => Vector512.Sum(x.value);

    public static double Greatest(DoubleLanes8 x)
    {
        double greatest = x.value[0];
        for (int lane = 1; lane < Count; lane++) greatest = Math.Max(greatest, x.value[lane]);
        return greatest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes8 SelectRange(int low, int high, DoubleLanes8 value, DoubleLanes8 other)
    {
        Vector512<long> lane = Vector512<long>.Indices;
        Vector512<long> inside = Vector512.GreaterThanOrEqual(lane, Vector512.Create((long)low)) & Vector512.LessThan(lane, Vector512.Create((long)high));
        return new(Vector512.ConditionalSelect(inside.AsDouble(), value.value, other.value));
    }
}
