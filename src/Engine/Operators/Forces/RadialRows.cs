using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Radial;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Forces;

/// <summary>
/// The radial functions of pairs and their derivatives by distance, as rows that multiply a filter's weights: [1 | phi] and [0 | phi'], or, with the
/// cutoff function inside, [f | phi f] and [f' | (phi f)']. Of Gaussians a product takes those alone that are not negligible for a group of rows.
/// </summary>
internal sealed unsafe class RadialRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rows that a product takes together.</summary>
    public const int Group = 4;

    // Beside sums of the order of 1: below single precision's rounding, and as everywhere else in double precision.
    private static readonly double Negligible = typeof(T) == typeof(float) ? Math.Pow(2, -27) : Kernels.Maths.Negligible.Value;

    private readonly double[] centers;
    private readonly double[]? exponents;
    private readonly double[] reaches;
    private readonly double cutoff;
    private readonly int power;
    private readonly T* laneCenters, laneExponents;

    /// <param name="functions">Basis and cutoff function.</param>
    /// <param name="weights">Keeps the numbers.</param>
    public RadialRows(in RadialFunctions functions, ForceWeights<TLanes, T> weights)
    {
        (cutoff, power) = (functions.Cutoff, functions.Power);
        centers = Numbers(functions.Centers);
        exponents = functions.Exponents is { } e ? Numbers(e) : null;
        reaches = [.. centers.Select((_, k) => exponents is null ? double.PositiveInfinity : Math.Sqrt(Math.Log(Negligible) / exponents[k]))];
        int room = ForceWeights<TLanes, T>.Whole(Count);
        laneCenters = weights.Take(room);
        laneExponents = weights.Take(room);
        for (int k = 0; k < Count; k++) laneCenters[k] = T.CreateChecked(centers[k]);
        for (int k = 0; exponents is not null && k < Count; k++) laneExponents[k] = T.CreateChecked(exponents[k]);
    }

    /// <summary>K</summary>
    public int Count => centers.Length;

    /// <summary>Numbers of a row.</summary>
    public int Stride => Count + 1;

    /// <summary>Numbers that so many rows take, with what stores may write beyond the last.</summary>
    public long Room(int rows) => (long)rows * Stride + TLanes.Count;

    /// <summary>f(d) and f'(d), d below the cutoff.</summary>
    public (double Value, double Slope) Envelope(double d)
    {
        if (power == 0)
        {
            (double sin, double cos) = Math.SinCos(d * (Math.PI / cutoff));
            return ((cos + 1) * 0.5, -0.5 * Math.PI / cutoff * sin);
        }
        double p = power, x = d / cutoff, before = Math.Pow(x, power - 1);
        if (before * x <= Kernels.Maths.Negligible.Value) return (1, 0);
        double inner = (x * (-p * (p + 1) / 2) + p * (p + 2)) * x - (p + 1) * (p + 2) / 2;
        return (before * x * inner + 1, -0.5 * p * (p + 1) * (p + 2) * before * (1 - x) * (1 - x) / cutoff);
    }

    /// <summary>One row and its derivative; what follows the rows is written over.</summary>
    /// <param name="d">A</param>
    /// <param name="f">Factor of the row, and its slope: the cutoff function, or 1 and 0.</param>
    /// <param name="slope">See <paramref name="f"/>.</param>
    /// <param name="row">(1 + K)</param>
    /// <param name="derivative">(1 + K)</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(double d, double f, double slope, T* row, T* derivative)
    {
        row[0] = T.CreateTruncating(f);
        derivative[0] = T.CreateTruncating(slope);
        if (exponents is null)
        {
            for (int k = 0; k < centers.Length; k++)
            {
                (double sin, double cos) = Math.SinCos(centers[k] * d);
                double value = sin / d;
                row[1 + k] = T.CreateTruncating(value * f);
                derivative[1 + k] = T.CreateTruncating((centers[k] * cos - value) / d * f + value * slope);
            }
            return;
        }
        TLanes distance = TLanes.All(T.CreateTruncating(d)), factor = TLanes.All(T.CreateTruncating(f)), change = TLanes.All(T.CreateTruncating(slope));
        for (int k = 0; k < centers.Length; k += TLanes.Count)
        {
            TLanes difference = distance - TLanes.Load(laneCenters + k), c = TLanes.Load(laneExponents + k) * difference;
            TLanes value = TLanes.Exp(c * difference);
            TLanes.Store(row + 1 + k, value * factor);
            TLanes.Store(derivative + 1 + k, value * TLanes.Fma(c + c, factor, change));
        }
    }

    /// <summary>First and end of the functions that count for distances from <paramref name="least"/> to <paramref name="greatest"/>.</summary>
    public (int From, int To) Window(double least, double greatest)
    {
        int from = 0, to = centers.Length;
        while (from < to && least - centers[from] > reaches[from]) from++;
        while (to > from && centers[to - 1] - greatest > reaches[to - 1]) to--;
        return (from, to);
    }

    /// <summary>C (rows, columns) = rows by weights, group by group.</summary>
    /// <param name="rows">A multiple of <see cref="Group"/>.</param>
    /// <param name="a">(rows, 1 + K)</param>
    /// <param name="windows">(rows / Group, 2)</param>
    /// <param name="weights">(1 + K, columns)</param>
    /// <param name="columns">Whole vectors.</param>
    /// <param name="c">(rows, columns)</param>
    public void Multiply(int rows, T* a, int* windows, T* weights, int columns, T* c)
    {
        int lanes = TLanes.Count;
        for (int r = 0; r < rows; r += Group, a += Group * Stride, c += Group * columns, windows += 2)
        {
            int j = 0;
            for (; j + 3 * lanes <= columns; j += 3 * lanes) Rows3(windows[0], windows[1], a, Stride, weights + j, columns, c + j);
            for (; j < columns; j += lanes) Rows1(windows[0], windows[1], a, Stride, weights + j, columns, c + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows3(int from, int to, T* a, int stride, T* w, long columns, T* c)
    {
        int l = TLanes.Count;
        T* a1 = a + stride, a2 = a1 + stride, a3 = a2 + stride;
        TLanes b0 = TLanes.Load(w), b1 = TLanes.Load(w + l), b2 = TLanes.Load(w + 2 * l);
        TLanes x = TLanes.All(a[0]);
        TLanes s00 = x * b0, s01 = x * b1, s02 = x * b2;
        x = TLanes.All(a1[0]);
        TLanes s10 = x * b0, s11 = x * b1, s12 = x * b2;
        x = TLanes.All(a2[0]);
        TLanes s20 = x * b0, s21 = x * b1, s22 = x * b2;
        x = TLanes.All(a3[0]);
        TLanes s30 = x * b0, s31 = x * b1, s32 = x * b2;
        w += (from + 1) * columns;
        for (int k = from + 1; k <= to; k++, w += columns)
        {
            b0 = TLanes.Load(w);
            b1 = TLanes.Load(w + l);
            b2 = TLanes.Load(w + 2 * l);
            x = TLanes.All(a[k]);
            (s00, s01, s02) = (TLanes.Fma(x, b0, s00), TLanes.Fma(x, b1, s01), TLanes.Fma(x, b2, s02));
            x = TLanes.All(a1[k]);
            (s10, s11, s12) = (TLanes.Fma(x, b0, s10), TLanes.Fma(x, b1, s11), TLanes.Fma(x, b2, s12));
            x = TLanes.All(a2[k]);
            (s20, s21, s22) = (TLanes.Fma(x, b0, s20), TLanes.Fma(x, b1, s21), TLanes.Fma(x, b2, s22));
            x = TLanes.All(a3[k]);
            (s30, s31, s32) = (TLanes.Fma(x, b0, s30), TLanes.Fma(x, b1, s31), TLanes.Fma(x, b2, s32));
        }
        Store3(c, s00, s01, s02);
        Store3(c + columns, s10, s11, s12);
        Store3(c + 2 * columns, s20, s21, s22);
        Store3(c + 3 * columns, s30, s31, s32);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1(int from, int to, T* a, int stride, T* w, long columns, T* c)
    {
        T* a1 = a + stride, a2 = a1 + stride, a3 = a2 + stride;
        TLanes b = TLanes.Load(w);
        TLanes s0 = TLanes.All(a[0]) * b, s1 = TLanes.All(a1[0]) * b, s2 = TLanes.All(a2[0]) * b, s3 = TLanes.All(a3[0]) * b;
        w += (from + 1) * columns;
        for (int k = from + 1; k <= to; k++, w += columns)
        {
            b = TLanes.Load(w);
            s0 = TLanes.Fma(TLanes.All(a[k]), b, s0);
            s1 = TLanes.Fma(TLanes.All(a1[k]), b, s1);
            s2 = TLanes.Fma(TLanes.All(a2[k]), b, s2);
            s3 = TLanes.Fma(TLanes.All(a3[k]), b, s3);
        }
        TLanes.Store(c, s0);
        TLanes.Store(c + columns, s1);
        TLanes.Store(c + 2 * columns, s2);
        TLanes.Store(c + 3 * columns, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store3(T* c, TLanes first, TLanes second, TLanes third)
    {
        TLanes.Store(c, first);
        TLanes.Store(c + TLanes.Count, second);
        TLanes.Store(c + 2 * TLanes.Count, third);
    }

    private static double[] Numbers(Tensor values)
    {
        using Tensor wide = values.detach().to(ScalarType.Float64).contiguous();
        return [.. wide.data<double>()];
    }
}
