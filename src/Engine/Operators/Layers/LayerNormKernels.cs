using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.LayerNorm;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>The kernels of <see cref="LayerNorm"/> as an autograd function. Inputs: x, weight, bias.</summary>
internal sealed class LayerNormKernelsFunction(double epsilon) : AutogradFunction
{
    public static Tensor Apply(Tensor x, Tensor weight, Tensor bias, double epsilon)
    {
        using Tensor rows = x.contiguous(), factors = weight.contiguous(), shifts = bias.contiguous();
        return new LayerNormKernelsFunction(epsilon).Apply([rows, factors, shifts])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor x = inputs[0]!, y = empty_like(x);
        long rows = x.numel() / inputs[1]!.numel();
        Tensor mean = empty(rows, dtype: x.dtype, device: x.device), inverse = empty_like(mean);
        LayerNormKernels.Forward(inputs, epsilon, mean, inverse, y);
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
            LayerNormKernels.ByInput(gradient, saved, results[0]!);
        }
        if (weight.requires_grad || saved[2]!.requires_grad)
        {
            Tensor sums = empty(2, weight.numel(), dtype: x.dtype, device: x.device);
            LayerNormKernels.ByParameters(gradient, saved, sums);
            (results[1], results[2]) = (sums.select(0, 0), sums.select(0, 1));
        }
        return results;
    }
}

/// <summary>
/// Hands tensors to the layer norm's kernels: all contiguous, of one number type. What the forward pass saves is x, weight, bias, mean,
/// and 1 / sigma.
/// </summary>
internal static class LayerNormKernels
{
    public static void Forward(Tensor?[] inputs, double epsilon, Tensor mean, Tensor inverse, Tensor y)
    {
        if (y.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            LayerNormLauncher<T, TReal>.Forward(
                Device(y), Array<T>(inputs[0]), Array<T>(inputs[1]), Array<T>(inputs[2]), epsilon,
                Array<T>(mean), Array<T>(inverse), Array<T>(y));
    }

    public static void ByInput(Tensor gradient, Tensor?[] saved, Tensor result)
    {
        if (result.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            LayerNormLauncher<T, TReal>.ByInput(
                Device(result), Array<T>(gradient), Array<T>(saved[0]), Array<T>(saved[1]), Array<T>(saved[3]), Array<T>(saved[4]),
                Array<T>(result));
    }

    /// <param name="gradient">With respect to y.</param>
    /// <param name="saved">By the forward pass.</param>
    /// <param name="sums">(2, h), written: with respect to weight and bias.</param>
    public static void ByParameters(Tensor gradient, Tensor?[] saved, Tensor sums)
    {
        using Tensor partials = empty(RowChunks.Count(saved[3]!.numel()), sums.numel(), dtype: sums.dtype, device: sums.device);
        if (sums.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            LayerNormLauncher<T, TReal>.ByParameters(
                Device(sums), Array<T>(gradient), Array<T>(saved[0]), Array<T>(saved[3]), Array<T>(saved[4]), Array<T>(partials),
                Array<T>(sums));
    }
}
