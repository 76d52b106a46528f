using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>8 floats in a 256-bit vector.</summary>
internal readonly unsafe struct SingleLanes8 : ILanes<SingleLanes8, float>
{
    private readonly Vector256<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SingleLanes8(Vector256<float> value) => this.value = value;

    public static int Count => 8;

    public static SingleLanes8 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Load(float* address) => new(Vector256.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* address, SingleLanes8 value) => Vector256.Store(value.value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 All(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Add(SingleLanes8 a, SingleLanes8 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Subtract(SingleLanes8 a, SingleLanes8 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Multiply(SingleLanes8 a, SingleLanes8 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Divide(SingleLanes8 a, SingleLanes8 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Fma(SingleLanes8 a, SingleLanes8 b, SingleLanes8 c) => new(Vector256.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Max(SingleLanes8 a, SingleLanes8 b) => new(Vector256.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Min(SingleLanes8 a, SingleLanes8 b) => new(Vector256.MinNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Sqrt(SingleLanes8 x) => new(Vector256.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Normal(SingleLanes8 x) => new(Vector256.AndNot(x.value, Vector256.LessThan(Vector256.Abs(x.value), Vector256.Create(1.17549435e-38f))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Reciprocal(SingleLanes8 x) => new(Vector256<float>.One / x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Exp2(SingleLanes8 x)
    {
        // Cephes' exp2f on the fraction in [-1/2, 1/2].
        Vector256<float> n = Vector256.Round(Vector256.MinNative(x.value, Vector256.Create(127f))), f = x.value - n;
        Vector256<float> p = Vector256.Create(1.535336188319500e-4f);
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(1.339887440266574e-3f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(9.618437357674640e-3f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(5.550332471162809e-2f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(2.402264791363012e-1f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(6.931472028550421e-1f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256<float>.One);
        Vector256<float> power = p * (Vector256.ConvertToInt32(n) + Vector256.Create(127) << 23).AsSingle();
        return new(power & Vector256.GreaterThanOrEqual(x.value, Vector256.Create(-100f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Exp2(ref SingleLanes8 a, ref SingleLanes8 b, ref SingleLanes8 c, ref SingleLanes8 d) => (a, b, c, d) = (Exp2(a), Exp2(b), Exp2(c), Exp2(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Exp(SingleLanes8 x)
    {
        // Cephes' expf: x = n ln2 + r, a polynomial of degree 6 in r, then 2^n through the exponent bits.
        Vector256<float> clamped = Vector256.Min(Vector256.Max(x.value, Vector256.Create(-87.3f)), Vector256.Create(88.3f));
        Vector256<float> n = Vector256.Round(clamped * Vector256.Create(1.44269504088896341f));
        Vector256<float> r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), clamped);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        Vector256<float> p = Vector256.Create(1.9875691500e-4f);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.3981999507e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        p = Vector256.FusedMultiplyAdd(p, r * r, r + Vector256<float>.One);
        Vector256<float> scale = (Vector256.ConvertToInt32(n) + Vector256.Create(127) << 23).AsSingle();
        return new(p * scale & Vector256.GreaterThanOrEqual(x.value, Vector256.Create(-87.3f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 Log(SingleLanes8 x) => new(Vector256.Log(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(SingleLanes8 x) => Vector256.Sum(x.value);

    public static float Greatest(SingleLanes8 x)
    {
        float greatest = x.value[0];
        for (int lane = 1; lane < Count; lane++) greatest = Math.Max(greatest, x.value[lane]);
        return greatest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes8 SelectRange(int low, int high, SingleLanes8 value, SingleLanes8 other)
    {
        Vector256<int> lane = Vector256<int>.Indices;
        Vector256<int> inside = Vector256.GreaterThanOrEqual(lane, Vector256.Create((int)low)) & Vector256.LessThan(lane, Vector256.Create((int)high));
        return new(Vector256.ConditionalSelect(inside.AsSingle(), value.value, other.value));
    }
}

/// <summary>16 floats in a 512-bit vector.</summary>
internal readonly unsafe struct SingleLanes16 : ILanes<SingleLanes16, float>
{
    // 2^f on [0, 1), to 1e-7: Remez' polynomial.
    private const float C0 = 9.9999992506e-01f, C1 = 6.9315307319e-01f, C2 = 2.4015361713e-01f, C3 = 5.5826317813e-02f, C4 = 8.9893403772e-03f, C5 = 1.8775765567e-03f;

    private readonly Vector512<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SingleLanes16(Vector512<float> value) => this.value = value;

    public static int Count => 16;

    public static SingleLanes16 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Load(float* address) => new(Vector512.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* address, SingleLanes16 value) => Vector512.Store(value.value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 All(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Add(SingleLanes16 a, SingleLanes16 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Subtract(SingleLanes16 a, SingleLanes16 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Multiply(SingleLanes16 a, SingleLanes16 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Divide(SingleLanes16 a, SingleLanes16 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Fma(SingleLanes16 a, SingleLanes16 b, SingleLanes16 c) => new(Vector512.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Max(SingleLanes16 a, SingleLanes16 b) => new(Vector512.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Min(SingleLanes16 a, SingleLanes16 b) => new(Vector512.MinNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Sqrt(SingleLanes16 x) => new(Vector512.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Normal(SingleLanes16 x) => new(Vector512.AndNot(x.value, Vector512.LessThan(Vector512.Abs(x.value), Vector512.Create(1.17549435e-38f))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Reciprocal(SingleLanes16 x)
    {
        if (!Avx512F.IsSupported) return new(Vector512<float>.One / x.value);
        Vector512<float> y = Avx512F.Reciprocal14(x.value); // 14 bits, and one step of Newton's
        return new(y * Vector512.FusedMultiplyAdd(-x.value, y, Vector512.Create(2f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Exp2(SingleLanes16 x)
    {
        if (Avx512DQ.IsSupported)
        {
            Vector512<float> part = Fraction(x.value);
            return new(Scaled(Step(Step(Step(Step(Step(Vector512.Create(C5), part, C4), part, C3), part, C2), part, C1), part, C0), x.value));
        }
        // Cephes' exp2f on the fraction in [-1/2, 1/2].
        Vector512<float> n = Vector512.Round(Vector512.MinNative(x.value, Vector512.Create(127f))), f = x.value - n;
        Vector512<float> p = Vector512.Create(1.535336188319500e-4f);
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.339887440266574e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(9.618437357674640e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(5.550332471162809e-2f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.402264791363012e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(6.931472028550421e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512<float>.One);
        Vector512<float> power = p * (Vector512.ConvertToInt32(n) + Vector512.Create(127) << 23).AsSingle();
        return new(power & Vector512.GreaterThanOrEqual(x.value, Vector512.Create(-100f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Exp2(ref SingleLanes16 a, ref SingleLanes16 b, ref SingleLanes16 c, ref SingleLanes16 d)
    {
        if (!Avx512DQ.IsSupported)
        {
            (a, b, c, d) = (Exp2(a), Exp2(b), Exp2(c), Exp2(d));
            return;
        }
        Vector512<float> f = Fraction(a.value), g = Fraction(b.value), h = Fraction(c.value), i = Fraction(d.value), p = Vector512.Create(C5);
        Vector512<float> q = Step(p, g, C4), r = Step(p, h, C4), s = Step(p, i, C4);
        p = Step(p, f, C4);
        (p, q, r, s) = (Step(p, f, C3), Step(q, g, C3), Step(r, h, C3), Step(s, i, C3));
        (p, q, r, s) = (Step(p, f, C2), Step(q, g, C2), Step(r, h, C2), Step(s, i, C2));
        (p, q, r, s) = (Step(p, f, C1), Step(q, g, C1), Step(r, h, C1), Step(s, i, C1));
        (p, q, r, s) = (Step(p, f, C0), Step(q, g, C0), Step(r, h, C0), Step(s, i, C0));
        (a, b, c, d) = (new(Scaled(p, a.value)), new(Scaled(q, b.value)), new(Scaled(r, c.value)), new(Scaled(s, d.value)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Step(Vector512<float> p, Vector512<float> f, float next) => Vector512.FusedMultiplyAdd(p, f, Vector512.Create(next));

    /// <summary>x - floor(x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fraction(Vector512<float> x) => Avx512DQ.Reduce(x, 9);

    /// <summary>p 2^floor(x), and the zero of small ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scaled(Vector512<float> p, Vector512<float> x) =>
        Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(x, Vector512.Create(-100f)), Avx512F.Scale(p, x), Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Exp(SingleLanes16 x)
    {
        // Cephes' expf: x = n ln2 + r, a polynomial of degree 6 in r, then 2^n through the exponent bits.
        Vector512<float> clamped = Vector512.Min(Vector512.Max(x.value, Vector512.Create(-87.3f)), Vector512.Create(88.3f));
        Vector512<float> n = Vector512.Round(clamped * Vector512.Create(1.44269504088896341f));
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), clamped);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r + Vector512<float>.One);
        Vector512<float> scale = (Vector512.ConvertToInt32(n) + Vector512.Create(127) << 23).AsSingle();
        return new(p * scale & Vector512.GreaterThanOrEqual(x.value, Vector512.Create(-87.3f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 Log(SingleLanes16 x) => new(Vector512.Log(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(SingleLanes16 x) => Vector512.Sum(x.value);

    public static float Greatest(SingleLanes16 x)
    {
        float greatest = x.value[0];
        for (int lane = 1; lane < Count; lane++) greatest = Math.Max(greatest, x.value[lane]);
        return greatest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SingleLanes16 SelectRange(int low, int high, SingleLanes16 value, SingleLanes16 other)
    {
        Vector512<int> lane = Vector512<int>.Indices;
        Vector512<int> inside = Vector512.GreaterThanOrEqual(lane, Vector512.Create((int)low)) & Vector512.LessThan(lane, Vector512.Create((int)high));
        return new(Vector512.ConditionalSelect(inside.AsSingle(), value.value, other.value));
    }
}
