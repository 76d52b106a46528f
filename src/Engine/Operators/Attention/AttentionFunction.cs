using ChemScale.Engine.Operators.Differentiation;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The host path of <see cref="Attention"/> as an autograd function.</summary>
internal sealed class AttentionFunction : AutogradFunction
{
    private static readonly AttentionFunction Instance = new();

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
