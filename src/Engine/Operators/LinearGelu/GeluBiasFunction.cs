using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="LinearGelu"/>'s activation as an autograd function. Inputs: x, bias.</summary>
internal sealed class GeluBiasFunction : AutogradFunction
{
    private static readonly GeluBiasFunction Instance = new();

    public static Tensor Apply(Tensor x, Tensor bias)
    {
        using Tensor rows = x.contiguous(), shifts = bias.contiguous();
        return Instance.Apply([rows, shifts])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor y = empty_like(inputs[0]!);
        GeluBiasLaunch.Forward(inputs[0]!, inputs[1]!, y);
        if (context.NeedsGradient) context.Save(inputs);
        return [y];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient) return new Tensor?[2];
        Tensor?[] saved = context.Saved();
        // A second derivative is wanted.
        if (is_grad_enabled())
            return ComposedDerivatives.OfForward(inputs => [LinearGelu.Composed(inputs[0]!, inputs[1]!)], saved, [gradient]);
        Tensor byInput = empty_like(saved[0]!);
        Tensor? byBias = saved[1]!.requires_grad ? empty_like(saved[1]!) : null;
        GeluBiasLaunch.Backward(gradient.contiguous(), saved[0]!, saved[1]!, byInput, byBias);
        return [byInput, byBias];
    }
}
