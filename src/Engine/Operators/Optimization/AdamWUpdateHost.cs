using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Optimization;

/// <summary>
/// What an optimizer does with numbers that lie together, on the CPU: AdamW's update, the gradients' norm and a factor on them, each one pass
/// in chunks that follow from the count alone.
/// </summary>
internal static unsafe class AdamWUpdateHost
{
    private const int Chunk = 1 << 14;

    public static bool Has(Tensor tensor) => tensor.device_type == DeviceType.CPU && tensor.dtype is ScalarType.Float32 or ScalarType.Float64 && Vector256.IsHardwareAccelerated;

    /// <summary>In place; all four are contiguous, of one type and length.</summary>
    public static void Apply(Tensor parameter, Tensor gradient, Tensor first, Tensor second, in AdamWSettings settings)
    {
        using TensorMemory p = new(parameter), g = new(gradient), m = new(first), v = new(second);
        switch (parameter.dtype, Vector512.IsHardwareAccelerated)
        {
            case (ScalarType.Float32, true): Update<SingleLanes16, float>(p.Address, g.Address, m.Address, v.Address, parameter.numel(), settings); break;
            case (ScalarType.Float32, false): Update<SingleLanes8, float>(p.Address, g.Address, m.Address, v.Address, parameter.numel(), settings); break;
            case (ScalarType.Float64, true): Update<DoubleLanes8, double>(p.Address, g.Address, m.Address, v.Address, parameter.numel(), settings); break;
            default: Update<DoubleLanes4, double>(p.Address, g.Address, m.Address, v.Address, parameter.numel(), settings); break;
        }
    }

    /// <summary>Sum of squares, in double precision.</summary>
    public static double SquaredNorm(Tensor tensor)
    {
        using TensorMemory memory = new(tensor);
        return tensor.dtype == ScalarType.Float32 ? SquaredNorm((float*)memory.Address, tensor.numel()) : SquaredNorm((double*)memory.Address, tensor.numel());
    }

    private static double SquaredNorm<T>(T* x, long count)
        where T : unmanaged, INumber<T>
    {
        var sums = new double[(count + Chunk - 1) / Chunk];
        TorchThreads.For(sums.Length, chunk =>
        {
            T* at = x + (long)chunk * Chunk;
            int length = (int)Math.Min(Chunk, count - (long)chunk * Chunk);
            sums[chunk] = typeof(T) == typeof(float) ? Squares((float*)at, length) : Squares((double*)at, length);
        });
        double sum = 0;
        foreach (double s in sums) sum += s;
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Squares(float* x, int count)
    {
        Vector256<double> a = default, b = default;
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Load(x + i));
            a = Vector256.FusedMultiplyAdd(low, low, a);
            b = Vector256.FusedMultiplyAdd(high, high, b);
        }
        double sum = Vector256.Sum(a + b);
        for (; i < count; i++) sum += (double)x[i] * x[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Squares(double* x, int count)
    {
        Vector256<double> a = default;
        int i = 0;
        for (; i + 4 <= count; i += 4)
        {
            Vector256<double> v = Vector256.Load(x + i);
            a = Vector256.FusedMultiplyAdd(v, v, a);
        }
        double sum = Vector256.Sum(a);
        for (; i < count; i++) sum += x[i] * x[i];
        return sum;
    }

    private static void Update<TLanes, T>(nint p, nint g, nint m, nint v, long count, AdamWSettings settings)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        TorchThreads.For((int)((count + Chunk - 1) / Chunk), chunk =>
        {
            long start = (long)chunk * Chunk;
            Stretch<TLanes, T>((T*)p + start, (T*)g + start, (T*)m + start, (T*)v + start, (int)Math.Min(Chunk, count - start), settings);
        });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stretch<TLanes, T>(T* p, T* g, T* m, T* v, int count, in AdamWSettings s)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T rest = T.CreateChecked(1 - s.Beta1), decay = T.CreateChecked(s.Beta2), square = T.CreateChecked(1 - s.Beta2), keep = T.CreateChecked(1 - s.LearningRate * s.WeightDecay);
        T step = T.CreateChecked(-s.LearningRate / (1 - Math.Pow(s.Beta1, s.Update))), root = T.CreateChecked(1 / Math.Sqrt(1 - Math.Pow(s.Beta2, s.Update)));
        T epsilon = T.CreateChecked(s.Epsilon);
        TLanes toGradient = TLanes.All(rest), beta2 = TLanes.All(decay), squared = TLanes.All(square), kept = TLanes.All(keep), rate = TLanes.All(step);
        TLanes unbias = TLanes.All(root), small = TLanes.All(epsilon);
        int i = 0;
        for (; i + TLanes.Count <= count; i += TLanes.Count)
        {
            TLanes gradient = TLanes.Load(g + i), first = TLanes.Load(m + i), second = TLanes.Load(v + i);
            first = TLanes.Normal(TLanes.Fma(toGradient, TLanes.Subtract(gradient, first), first));
            second = TLanes.Normal(TLanes.Fma(beta2, second, TLanes.Multiply(TLanes.Multiply(squared, gradient), gradient)));
            TLanes.Store(m + i, first);
            TLanes.Store(v + i, second);
            TLanes change = TLanes.Divide(first, TLanes.Fma(TLanes.Sqrt(second), unbias, small));
            TLanes.Store(p + i, TLanes.Fma(rate, change, TLanes.Multiply(kept, TLanes.Load(p + i))));
        }
        for (; i < count; i++)
        {
            T first = T.FusedMultiplyAdd(rest, g[i] - m[i], m[i]), second = T.FusedMultiplyAdd(decay, v[i], square * g[i] * g[i]);
            m[i] = T.IsSubnormal(first) ? T.Zero : first;
            v[i] = T.IsSubnormal(second) ? T.Zero : second;
            p[i] = T.FusedMultiplyAdd(step, m[i] / T.FusedMultiplyAdd(T.Sqrt(v[i]), root, epsilon), keep * p[i]);
        }
    }
}
