using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Lanes;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>
/// GELU on the CPU. With u = 2 sqrt(2/pi) (x + 0.044715 x^3), y = x s and dy/dx = s + x s (1 - s) u', where s = 1 / (1 + e^-u): one
/// exponential and one division an element.
/// </summary>
internal static unsafe class GeluHost
{
    // Small enough to share among threads, large enough to pay for a call.
    private const int Chunk = 8192;

    private const double Slope = 1.5957691216057308; // 2 sqrt(2/pi)

    private const double Cubic = 0.044715;

    public static void Forward(Tensor x, Tensor y) => Choose(x, null, y);

    public static void Backward(Tensor x, Tensor gradient, Tensor result) => Choose(x, gradient, result);

    private static void Choose(Tensor x, Tensor? gradient, Tensor result)
    {
        switch (x.dtype, Vector512.IsHardwareAccelerated)
        {
            case (ScalarType.Float32, true): Run<SingleLanes16, float>(x, gradient, result); break;
            case (ScalarType.Float32, false): Run<SingleLanes8, float>(x, gradient, result); break;
            case (ScalarType.Float64, true): Run<DoubleLanes8, double>(x, gradient, result); break;
            case (ScalarType.Float64, false): Run<DoubleLanes4, double>(x, gradient, result); break;
            default: throw new NotSupportedException($"GELU on the host path takes float32 or float64, not {x.dtype}");
        }
    }

    private static void Run<TLanes, T>(Tensor x, Tensor? gradient, Tensor result)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using TensorMemory ofX = new(x), ofResult = new(result), ofGradient = new(gradient);
        nint px = ofX.Address, pr = ofResult.Address, pg = ofGradient.Address;
        long count = x.numel();
        TorchThreads.For((int)((count + Chunk - 1) / Chunk), chunk =>
        {
            long start = (long)chunk * Chunk;
            int length = (int)Math.Min(Chunk, count - start);
            T* xs = (T*)px + start, rs = (T*)pr + start, gs = pg == 0 ? null : (T*)pg + start;
            int whole = length - length % TLanes.Count;
            Stretch<TLanes, T>(xs, gs, rs, whole);
            if (whole == length) return;
            // The rest goes through full vectors of its own.
            int rest = length - whole;
            T* pad = stackalloc T[3 * TLanes.Count];
            for (int i = 0; i < 3 * TLanes.Count; i++) pad[i] = T.Zero;
            for (int i = 0; i < rest; i++)
            {
                pad[i] = xs[whole + i];
                if (gs != null) pad[TLanes.Count + i] = gs[whole + i];
            }
            Stretch<TLanes, T>(pad, gs == null ? null : pad + TLanes.Count, pad + 2 * TLanes.Count, TLanes.Count);
            for (int i = 0; i < rest; i++) rs[whole + i] = pad[2 * TLanes.Count + i];
        });
    }

    private static void Stretch<TLanes, T>(T* x, T* gradient, T* result, int count)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        TLanes one = TLanes.All(T.One), slope = TLanes.All(T.CreateChecked(-Slope)), cubic = TLanes.All(T.CreateChecked(-Slope * Cubic));
        TLanes threeCubic = TLanes.All(T.CreateChecked(-3 * Slope * Cubic));
        for (int i = 0; i < count; i += TLanes.Count)
        {
            TLanes v = TLanes.Load(x + i), square = TLanes.Multiply(v, v);
            TLanes minusU = TLanes.Multiply(v, TLanes.Fma(square, cubic, slope));
            TLanes s = TLanes.Divide(one, TLanes.Add(one, TLanes.Exp(minusU)));
            if (gradient == null)
            {
                TLanes.Store(result + i, TLanes.Multiply(v, s));
            }
            else
            {
                TLanes minusSlope = TLanes.Fma(square, threeCubic, slope); // -u'
                TLanes bend = TLanes.Multiply(TLanes.Multiply(v, s), TLanes.Multiply(TLanes.Subtract(s, one), minusSlope));
                TLanes.Store(result + i, TLanes.Multiply(TLanes.Load(gradient + i), TLanes.Add(s, bend)));
            }
        }
    }
}

/// <summary>The host path of <see cref="Gelu"/> as an autograd function.</summary>
internal sealed class GeluHostFunction : AutogradFunction
{
    private static readonly GeluHostFunction Instance = new();

    public static Tensor Apply(Tensor x)
    {
        using Tensor contiguous = x.contiguous();
        return Instance.Apply([contiguous])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor x = inputs[0]!, y = empty_like(x);
        GeluHost.Forward(x, y);
        if (context.NeedsGradient) context.Save(x);
        return [y];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient) return [null];
        Tensor x = context.Saved()[0]!;
        if (torch.is_grad_enabled())
            return [.. Gradients.Of([Gelu.Composed(x)], [x], [gradient], retainGraph: true, createGraph: true)];
        Tensor result = empty_like(x);
        GeluHost.Backward(x, gradient.contiguous(), result);
        return [result];
    }
}
