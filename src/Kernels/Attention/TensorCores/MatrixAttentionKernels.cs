using System.Collections.Concurrent;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>The kernels by head width and by what multiplies. Listed are those of tensor cores; the CPU's warps take .NET's.</summary>
internal sealed class MatrixAttentionKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<(Type Kernel, Type Unit, int Width), KernelMethod> Made = new();

    /// <summary>Head widths that have kernels.</summary>
    public static IReadOnlyList<int> Widths { get; } = [16, 32, 64, 128];

    public static IEnumerable<KernelVariant> Variants =>
        from width in Widths
        from kernel in (Func<Type, int, KernelMethod>[])[Forward, BackwardQueries, BackwardKeys]
        select new KernelVariant(kernel(typeof(TensorCore), width), VectorLoads: true, VectorStores: true);

    public static KernelMethod Forward(Type unit, int width) => Make(typeof(MatrixForward), unit, width);

    public static KernelMethod BackwardQueries(Type unit, int width) => Make(typeof(MatrixBackwardQueries), unit, width);

    public static KernelMethod BackwardKeys(Type unit, int width) => Make(typeof(MatrixBackwardKeys), unit, width);

    private static KernelMethod Make(Type kernel, Type unit, int width) => Made.GetOrAdd((kernel, unit, width), static key =>
    {
        Type head = typeof(Fragment), sum = typeof(Accumulator);
        for (int held = FragmentLayout.Size; held < key.Width; held *= 2)
        {
            head = typeof(FragmentPair<>).MakeGenericType(head);
            sum = typeof(AccumulatorPair<>).MakeGenericType(sum);
        }
        return KernelMethod.Of(key.Kernel, "Run", key.Unit, head, sum);
    });
}
