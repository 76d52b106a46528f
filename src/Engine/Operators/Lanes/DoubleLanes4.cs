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
    public static DoubleLanes4 Exp(DoubleLanes4 x)
    {
        return new(Vector256.Exp(x.value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 Log(DoubleLanes4 x) => new(Vector256.Log(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DoubleLanes4 SelectRange(int low, int high, DoubleLanes4 value, DoubleLanes4 other)
    {
        Vector256<long> lane = Vector256<long>.Indices;
        Vector256<long> inside = Vector256.GreaterThanOrEqual(lane, Vector256.Create((long)low)) & Vector256.LessThan(lane, Vector256.Create((long)high));
        return new(Vector256.ConditionalSelect(inside.AsDouble(), value.value, other.value));
    }
}
