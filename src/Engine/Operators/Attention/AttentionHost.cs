using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Attention on the CPU: one task per (molecule, head), queries a lane each; the backward pass goes once over query tiles (dq) and once
/// over key tiles (dk, dv), so every sum has one owner and one order. Scores are recomputed, never stored.
/// </summary>
internal static unsafe class AttentionHost
{
    /// <param name="shape">Molecules, heads, window, scale.</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h), written.</param>
    /// <param name="logSum">(heads, T), written: log sum_j exp(s_ij), what the backward pass needs of the softmax.</param>
    public static void Forward(AttentionShape shape, Tensor qkv, Tensor output, Tensor logSum)
    {
        nint q = NativeAutograd.DataPointer(qkv), o = NativeAutograd.DataPointer(output), l = NativeAutograd.DataPointer(logSum);
        int tasks = shape.Rows.Molecules * shape.Heads;
        switch (qkv.dtype)
        {
            case ScalarType.Float32 when Vector512.IsHardwareAccelerated:
                TorchThreads.For(tasks, t => AttentionTask<SingleLanes16, float>.Forward(shape, t, (float*)q, (float*)o, (float*)l));
                break;
            case ScalarType.Float32:
                TorchThreads.For(tasks, t => AttentionTask<SingleLanes8, float>.Forward(shape, t, (float*)q, (float*)o, (float*)l));
                break;
            case ScalarType.Float64 when Vector512.IsHardwareAccelerated:
                TorchThreads.For(tasks, t => AttentionTask<DoubleLanes8, double>.Forward(shape, t, (double*)q, (double*)o, (double*)l));
                break;
            case ScalarType.Float64:
                TorchThreads.For(tasks, t => AttentionTask<DoubleLanes4, double>.Forward(shape, t, (double*)q, (double*)o, (double*)l));
                break;
            default:
                throw new NotSupportedException($"attention on the host path takes float32 or float64, not {qkv.dtype}");
        }
    }

    /// <param name="shape">As in the forward pass.</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h) of the forward pass.</param>
    /// <param name="logSum">(heads, T) of the forward pass.</param>
    /// <param name="outputGradient">(T, h)</param>
    /// <param name="gradient">(T, 3 h), written.</param>
    public static void Backward(AttentionShape shape, Tensor qkv, Tensor output, Tensor logSum, Tensor outputGradient, Tensor gradient)
    {
        nint q = NativeAutograd.DataPointer(qkv), o = NativeAutograd.DataPointer(output), l = NativeAutograd.DataPointer(logSum);
        nint go = NativeAutograd.DataPointer(outputGradient), g = NativeAutograd.DataPointer(gradient);
        int tasks = shape.Rows.Molecules * shape.Heads;
        if (qkv.dtype == ScalarType.Float32)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                TorchThreads.For(tasks, t => AttentionTask<SingleLanes16, float>.Backward(
                    shape, t, (float*)q, (float*)o, (float*)l, (float*)go, (float*)g));
            }
            else
            {
                TorchThreads.For(tasks, t => AttentionTask<SingleLanes8, float>.Backward(
                    shape, t, (float*)q, (float*)o, (float*)l, (float*)go, (float*)g));
            }
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            TorchThreads.For(tasks, t => AttentionTask<DoubleLanes8, double>.Backward(
                shape, t, (double*)q, (double*)o, (double*)l, (double*)go, (double*)g));
        }
        else
        {
            TorchThreads.For(tasks, t => AttentionTask<DoubleLanes4, double>.Backward(
                shape, t, (double*)q, (double*)o, (double*)l, (double*)go, (double*)g));
        }
    }
}
