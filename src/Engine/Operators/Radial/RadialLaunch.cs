using System.Numerics;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Radial;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Hands tensors to the radial kernels: all contiguous, of one number type. Inputs are edge vectors, centers and exponents; the four
/// outputs, and their gradients, are distances, directions, envelope and radial basis.
/// </summary>
internal static class RadialLaunch
{
    public static void Forward(RadialForm form, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> outputs)
    {
        if (inputs[0]!.dtype == ScalarType.Float32) Run<float, F32>(inputs, outputs);
        else Run<double, F64>(inputs, outputs);

        void Run<T, TReal>(ReadOnlySpan<Tensor?> x, ReadOnlySpan<Tensor?> y)
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.Forward(
                Device(x[0]!), Inputs<T>(form, x), Array<T>(y[0]), Array<T>(y[1]), Array<T>(y[2]), Array<T>(y[3]));
    }

    public static void Backward(RadialForm form, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> gradients, Tensor result)
    {
        if (result.dtype == ScalarType.Float32) Run<float, F32>(inputs, gradients);
        else Run<double, F64>(inputs, gradients);

        void Run<T, TReal>(ReadOnlySpan<Tensor?> x, ReadOnlySpan<Tensor?> g)
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.Backward(Device(result), Inputs<T>(form, x), Gradients<T>(g), Array<T>(result));
    }

    public static void DoubleBackward(
        RadialForm form, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> gradients, Tensor cotangent,
        Tensor byVectors, ReadOnlySpan<Tensor?> byGradients)
    {
        if (cotangent.dtype == ScalarType.Float32) Run<float, F32>(inputs, gradients, byGradients);
        else Run<double, F64>(inputs, gradients, byGradients);

        void Run<T, TReal>(ReadOnlySpan<Tensor?> x, ReadOnlySpan<Tensor?> g, ReadOnlySpan<Tensor?> by)
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.DoubleBackward(
                Device(cotangent), Inputs<T>(form, x), Gradients<T>(g), Array<T>(cotangent), Array<T>(byVectors), Gradients<T>(by));
    }

    private static RadialInputs<T> Inputs<T>(RadialForm form, ReadOnlySpan<Tensor?> three)
        where T : unmanaged => new(form, Array<T>(three[0]), Array<T>(three[1]), Array<T>(three[2]));

    private static RadialGradients<T> Gradients<T>(ReadOnlySpan<Tensor?> four)
        where T : unmanaged => new(Array<T>(four[0]), Array<T>(four[1]), Array<T>(four[2]), Array<T>(four[3]));
}
