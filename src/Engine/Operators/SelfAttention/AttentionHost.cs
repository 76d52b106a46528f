using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Lanes;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SelfAttention;

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

/// <summary>The host path of <see cref="Attention"/> as an autograd function.</summary>
internal sealed class AttentionHostFunction : AutogradFunction
{
    private static readonly AttentionHostFunction Instance = new();

    public static Tensor Apply(Tensor qkv, PackedRows rows, int heads, int window, double scale)
    {
        using Tensor contiguous = qkv.contiguous();
        var shape = new AttentionShape(rows, heads, (int)(qkv.size(1) / 3 / heads), window, scale);
        return Instance.Apply(shape, contiguous);
    }

    private Tensor Apply(AttentionShape shape, Tensor qkv)
    {
        pendingShape = shape;
        return Apply([qkv])[0];
    }

    // Forward runs within Apply on the same thread: this carries the non-tensor arguments to it.
    [ThreadStatic]
    private static AttentionShape? pendingShape;

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor qkv = inputs[0]!;
        AttentionShape shape = pendingShape!;
        pendingShape = null;
        context.State = shape;
        Tensor output = empty(shape.Rows.Tokens, shape.Width, dtype: qkv.dtype, device: qkv.device);
        Tensor logSum = empty(shape.Heads, shape.Rows.Tokens, dtype: qkv.dtype, device: qkv.device);
        AttentionHost.Forward(shape, qkv, output, logSum);
        if (context.NeedsGradient) context.Save(qkv, output.detach(), logSum);
        else logSum.Dispose();
        return [output];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        var shape = (AttentionShape)context.State!;
        Tensor?[] saved = context.Saved();
        Tensor qkv = saved[0]!;
        if (gradients[0] is not { } gradient) return [null];
        if (torch.is_grad_enabled())
        {
            // A derivative of this derivative is wanted: the composed form has every order.
            Tensor again = AttentionComposed.Apply(qkv, shape.Rows, shape.Heads, shape.Window, shape.Scale);
            return [.. Gradients.Of([again], [qkv], [gradient], retainGraph: true, createGraph: true)];
        }
        Tensor result = empty_like(qkv);
        AttentionHost.Backward(shape, qkv, saved[1]!, saved[2]!, gradient.contiguous(), result);
        return [result];
    }
}

/// <summary>A way of cutting host attention into independent tasks. Addresses are of contiguous (T, 3 h), (T, h) and (heads, T) arrays.</summary>
internal unsafe interface IAttentionTask<T>
    where T : unmanaged
{
    static abstract int TasksPerMolecule(int heads);

    static abstract void Forward(AttentionShape shape, int task, T* qkv, T* output, T* logSum);

    static abstract void Backward(AttentionShape shape, int task, T* qkv, T* output, T* logSum, T* outputGradient, T* gradient);
}
