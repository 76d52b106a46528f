using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Tests.Kernels;

/// <summary>Kernels that the inspection must object to, each for its own reason.</summary>
internal static class BadKernels
{
    public static void UndefinedCall(ArrayView<float> x) => x[Grid.GlobalIndex.X] = MathF.FusedMultiplyAdd(x[Grid.GlobalIndex.X], 2, 3);

    public static void Float64(ArrayView<float> x) => x[Grid.GlobalIndex.X] = (float)(x[Grid.GlobalIndex.X] * 0.1);

    public static void NoVectors(ArrayView<float> x) => x[Grid.GlobalIndex.X] = 2 * x[Grid.GlobalIndex.X];

    public static void LocalMemory(ArrayView<float> x)
    {
        ArrayView<float> scratch = LocalMemory<float>(8);
        for (int i = 0; i < 8; i++) scratch[i] = x[i];
        for (int i = 0; i < 8; i++) x[8 + i] = scratch[(i + x.IntLength) & 7];
    }

    public static void Untranslatable(ArrayView<float> x) => x[0] = Environment.TickCount;

    /// <summary>Nothing wrong with this one.</summary>
    public static void Good(ArrayView<Pack4<float>> x)
    {
        Pack4<float> four = x[Grid.GlobalIndex.X];
        four.X += four.W;
        x[Grid.GlobalIndex.X] = four;
    }

    private static ArrayView<T> LocalMemory<T>(int length)
        where T : unmanaged => ILGPU.LocalMemory.Allocate1D<T>(length).BaseView;
}
