using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Gelu;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>The kernels of <see cref="LinearGelu"/>'s activation as an autograd function. Inputs: x, bias.</summary>
internal sealed class LinearGeluKernelsFunction : AutogradFunction
{
    private static readonly LinearGeluKernelsFunction Instance = new();

    public static Tensor Apply(Tensor x, Tensor bias)
    {
        using Tensor rows = x.contiguous(), shifts = bias.contiguous();
        return Instance.Apply([rows, shifts])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor y = empty_like(inputs[0]!);
        LinearGeluKernels.Forward(inputs[0]!, inputs[1]!, y);
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
        LinearGeluKernels.Backward(gradient.contiguous(), saved[0]!, saved[1]!, byInput, byBias);
        return [byInput, byBias];
    }
}

/// <summary>Hands tensors to the kernels of GELU with a bias: all contiguous, of one number type.</summary>
internal static class LinearGeluKernels
{
    public static void Forward(Tensor x, Tensor bias, Tensor y)
    {
        if (y.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            GeluBiasLauncher<T, TReal>.Forward(Device(y), Array<T>(x), Array<T>(bias), Array<T>(y));
    }

    /// <param name="gradient">(T, n) with respect to y</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="byInput">(T, n), written</param>
    /// <param name="byBias">(n), written; null: not wanted</param>
    public static void Backward(Tensor gradient, Tensor x, Tensor bias, Tensor byInput, Tensor? byBias)
    {
        long width = bias.numel();
        using Tensor partials = empty(RowChunks.Count(x.numel() / width), width, dtype: x.dtype, device: x.device);
        if (x.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            GeluBiasLauncher<T, TReal>.Backward(
                Device(x), Array<T>(gradient), Array<T>(x), Array<T>(bias), Array<T>(byInput), Array<T>(partials), Array<T>(byBias));
    }
}
