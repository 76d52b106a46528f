using ChemScale.Engine.Operators.Differentiation;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The host path of <see cref="Gelu"/> as an autograd function.</summary>
internal sealed class GeluFunction : AutogradFunction
{
    private static readonly GeluFunction Instance = new();

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
