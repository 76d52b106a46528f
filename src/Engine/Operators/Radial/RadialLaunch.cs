using System.Numerics;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Radial;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Hands tensors to the radial kernels. All contiguous, of one number type; the four gradients in the order of the outputs.</summary>
internal static class RadialLaunch
{
    public static void Forward(
        RadialForm form, Tensor vectors, Tensor centers, Tensor? exponents, Tensor distances, Tensor directions, Tensor envelope, Tensor radial)
    {
        if (vectors.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.Forward(Device(vectors), form, Array<T>(vectors), Array<T>(centers), Array<T>(exponents),
                Array<T>(distances), Array<T>(directions), Array<T>(envelope), Array<T>(radial));
    }

    public static void Backward(
        RadialForm form, Tensor vectors, Tensor centers, Tensor? exponents, ReadOnlySpan<Tensor?> gradients, Tensor result)
    {
        if (vectors.dtype == ScalarType.Float32) Run<float, F32>(gradients);
        else Run<double, F64>(gradients);

        void Run<T, TReal>(ReadOnlySpan<Tensor?> g)
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.Backward(Device(vectors), form, Array<T>(vectors), Array<T>(centers), Array<T>(exponents), Gradients<T>(g),
                Array<T>(result));
    }

    public static void DoubleBackward(
        RadialForm form, Tensor vectors, Tensor centers, Tensor? exponents, ReadOnlySpan<Tensor?> gradients, Tensor cotangent,
        Tensor byVectors, ReadOnlySpan<Tensor?> byGradients)
    {
        if (vectors.dtype == ScalarType.Float32) Run<float, F32>(gradients, byGradients);
        else Run<double, F64>(gradients, byGradients);

        void Run<T, TReal>(ReadOnlySpan<Tensor?> g, ReadOnlySpan<Tensor?> by)
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.DoubleBackward(Device(vectors), form, Array<T>(vectors), Array<T>(centers), Array<T>(exponents), Gradients<T>(g),
                Array<T>(cotangent), Array<T>(byVectors), Gradients<T>(by));
    }

    private static RadialGradients<T> Gradients<T>(ReadOnlySpan<Tensor?> four)
        where T : unmanaged => new(Array<T>(four[0]), Array<T>(four[1]), Array<T>(four[2]), Array<T>(four[3]));
}
