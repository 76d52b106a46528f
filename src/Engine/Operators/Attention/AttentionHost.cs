using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Attention on the CPU: independent tasks of one molecule each, so every sum has one owner and one order. Scores are recomputed in the
/// backward pass, never stored.
/// </summary>
internal static class AttentionHost
{
    /// <param name="shape">Molecules, heads, window, scale.</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h), written.</param>
    /// <param name="logSum">(heads, T), written: log sum_j exp(s_ij), what the backward pass needs of the softmax.</param>
    public static void Forward(AttentionShape shape, Tensor qkv, Tensor output, Tensor logSum) => Choose(shape, qkv, output, logSum, null, null);

    /// <param name="shape">As in the forward pass.</param>
    /// <param name="qkv">(T, 3 h)</param>
    /// <param name="output">(T, h) of the forward pass.</param>
    /// <param name="logSum">(heads, T) of the forward pass.</param>
    /// <param name="outputGradient">(T, h)</param>
    /// <param name="gradient">(T, 3 h), written.</param>
    public static void Backward(AttentionShape shape, Tensor qkv, Tensor output, Tensor logSum, Tensor outputGradient, Tensor gradient) =>
        Choose(shape, qkv, output, logSum, outputGradient, gradient);

    private static void Choose(AttentionShape shape, Tensor qkv, Tensor output, Tensor logSum, Tensor? outputGradient, Tensor? gradient)
    {
        // A lane per head where that leaves at most half of them idle.
        bool wide = Vector512.IsHardwareAccelerated;
        bool manySingles = shape.Heads >= (wide ? 8 : 4), manyDoubles = shape.Heads >= (wide ? 4 : 2);
        Action run = (qkv.dtype, wide) switch
        {
            (ScalarType.Float32, true) when manySingles => Run<ManyHeadsTask<SingleLanes16, float>, float>,
            (ScalarType.Float32, false) when manySingles => Run<ManyHeadsTask<SingleLanes8, float>, float>,
            (ScalarType.Float32, true) => Run<FewHeadsTask<SingleLanes16, float>, float>,
            (ScalarType.Float32, false) => Run<FewHeadsTask<SingleLanes8, float>, float>,
            (ScalarType.Float64, true) when manyDoubles => Run<ManyHeadsTask<DoubleLanes8, double>, double>,
            (ScalarType.Float64, false) when manyDoubles => Run<ManyHeadsTask<DoubleLanes4, double>, double>,
            (ScalarType.Float64, true) => Run<FewHeadsTask<DoubleLanes8, double>, double>,
            (ScalarType.Float64, false) => Run<FewHeadsTask<DoubleLanes4, double>, double>,
            _ => throw new NotSupportedException($"attention on the host path takes float32 or float64, not {qkv.dtype}"),
        };
        run();

        unsafe void Run<TTask, T>()
            where TTask : IAttentionTask<T>
            where T : unmanaged
        {
            using TensorMemory ofQkv = new(qkv), ofOutput = new(output), ofLogSum = new(logSum);
            using TensorMemory ofOutputGradient = new(outputGradient), ofGradient = new(gradient);
            nint q = ofQkv.Address, o = ofOutput.Address, l = ofLogSum.Address, up = ofOutputGradient.Address, g = ofGradient.Address;
            int tasks = shape.Rows.Molecules * TTask.TasksPerMolecule(shape.Heads);
            if (gradient is null)
            {
                TorchThreads.For(tasks, task => TTask.Forward(shape, task, (T*)q, (T*)o, (T*)l));
            }
            else
            {
                TorchThreads.For(tasks, task => TTask.Backward(shape, task, (T*)q, (T*)o, (T*)l, (T*)up, (T*)g));
            }
        }
    }
}
