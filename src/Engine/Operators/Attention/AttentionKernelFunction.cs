using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="Attention"/> as an autograd function.</summary>
internal sealed class AttentionKernelFunction(AttentionShape shape) : AutogradFunction
{
    public static Tensor Apply(Tensor qkv, PackedRows rows, int heads, int window, double scale, AttentionPrecision precision)
    {
        using Tensor aligned = AttentionLaunch.Aligned(qkv);
        var shape = new AttentionShape(rows, heads, (int)(qkv.size(1) / 3 / heads), window, scale, precision);
        return new AttentionKernelFunction(shape).Apply([aligned])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor qkv = inputs[0]!, output = Make(shape.Width), greatest = Make(shape.Heads), inverse = Make(shape.Heads);
        AttentionLaunch.Forward(shape, qkv, output, greatest, inverse);
        if (context.NeedsGradient)
        {
            context.Save(qkv, output.detach(), greatest, inverse);
        }
        else
        {
            greatest.Dispose();
            inverse.Dispose();
        }
        return [output];

        Tensor Make(long columns) => empty(shape.Rows.Tokens, columns, dtype: qkv.dtype, device: qkv.device);
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient) return [null];
        Tensor?[] saved = context.Saved();
        Tensor qkv = saved[0]!;
        if (is_grad_enabled())
        {
            // A derivative of this derivative is wanted: the composed form has every order.
            Tensor again = AttentionComposed.Apply(qkv, shape.Rows, shape.Heads, shape.Window, shape.Scale);
            return [.. Gradients.Of([again], [qkv], [gradient], retainGraph: true, createGraph: true)];
        }
        Tensor result = empty_like(qkv);
        using Tensor aligned = AttentionLaunch.Aligned(gradient), delta = empty_like(saved[2]!);
        AttentionLaunch.Backward(shape, qkv, saved[1]!, saved[2]!, saved[3]!, aligned, delta, result);
        return [result];
    }
}
