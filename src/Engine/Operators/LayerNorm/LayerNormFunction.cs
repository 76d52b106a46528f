using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="LayerNorm"/> as an autograd function. Inputs: x, weight, bias.</summary>
internal sealed class LayerNormFunction(double epsilon) : AutogradFunction
{
    public static Tensor Apply(Tensor x, Tensor weight, Tensor bias, double epsilon)
    {
        using Tensor rows = x.contiguous(), factors = weight.contiguous(), shifts = bias.contiguous();
        return new LayerNormFunction(epsilon).Apply([rows, factors, shifts])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor x = inputs[0]!, y = empty_like(x);
        long rows = x.numel() / inputs[1]!.numel();
        Tensor mean = empty(rows, dtype: x.dtype, device: x.device), inverse = empty_like(mean);
        LayerNormLaunch.Forward(inputs, epsilon, mean, inverse, y);
        if (context.NeedsGradient)
        {
            context.Save([.. inputs, mean, inverse]);
        }
        else
        {
            mean.Dispose();
            inverse.Dispose();
        }
        return [y];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient) return new Tensor?[3];
        Tensor?[] saved = context.Saved();
        Tensor x = saved[0]!, weight = saved[1]!;
        // A second derivative is wanted.
        if (is_grad_enabled())
        {
            return ComposedDerivatives.OfForward(
                inputs => [LayerNorm.Composed(inputs[0]!, inputs[1]!, inputs[2]!, epsilon)], saved.AsSpan(0, 3), [gradient]);
        }
        gradient = gradient.contiguous();
        var results = new Tensor?[3];
        if (x.requires_grad)
        {
            results[0] = empty_like(x);
            LayerNormLaunch.ByInput(gradient, saved, results[0]!);
        }
        if (weight.requires_grad || saved[2]!.requires_grad)
        {
            Tensor sums = empty(2, weight.numel(), dtype: x.dtype, device: x.device);
            LayerNormLaunch.ByParameters(gradient, saved, sums);
            (results[1], results[2]) = (sums.select(0, 0), sums.select(0, 1));
        }
        return results;
    }
}
