using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>Twice what another holds.</summary>
internal struct FragmentPair<THalf> : IFragments<FragmentPair<THalf>>
    where THalf : unmanaged, IFragments<THalf>
{
    private THalf left;
    private THalf right;

    public static int Blocks => 2 * THalf.Blocks;

    private static int Packs => FragmentLayout.BlockPacks * THalf.Blocks;

    public static FragmentPair<THalf> Load<TUnit>(ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit => new()
        {
            left = THalf.Load<TUnit>(rows, low, high),
            right = THalf.Load<TUnit>(rows, low + Packs, high + Packs),
        };

    public static Accumulator Product<TUnit>(Accumulator sum, FragmentPair<THalf> a, ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit =>
        THalf.Product<TUnit>(THalf.Product<TUnit>(sum, a.left, rows, low, high), a.right, rows, low + Packs, high + Packs);

    public static Pack2<float> Dot(FragmentPair<THalf> a, ArrayView<Pack4<float>> rows, int low, int high)
    {
        Pack2<float> first = THalf.Dot(a.left, rows, low, high), second = THalf.Dot(a.right, rows, low + Packs, high + Packs);
        return new Pack2<float> { X = first.X + second.X, Y = first.Y + second.Y };
    }
}

/// <summary>Twice what another holds.</summary>
internal struct AccumulatorPair<THalf> : IAccumulators<AccumulatorPair<THalf>>
    where THalf : unmanaged, IAccumulators<THalf>
{
    private THalf left;
    private THalf right;

    public static int Blocks => 2 * THalf.Blocks;

    public static AccumulatorPair<THalf> Zero => new() { left = THalf.Zero, right = THalf.Zero };

    private static int Packs => FragmentLayout.BlockPacks * THalf.Blocks;

    public static AccumulatorPair<THalf> Scale(AccumulatorPair<THalf> sum, float low, float high) =>
        new() { left = THalf.Scale(sum.left, low, high), right = THalf.Scale(sum.right, low, high) };

    public static AccumulatorPair<THalf> Add<TUnit>(
        AccumulatorPair<THalf> sum, Fragment weights, ArrayView<Pack2<float>> rows, TransposedRows at)
        where TUnit : struct, IMatrixUnit => new()
        {
            left = THalf.Add<TUnit>(sum.left, weights, rows, at),
            right = THalf.Add<TUnit>(sum.right, weights, rows, at.Ahead(2 * Packs)),
        };

    public static void StoreLow(ArrayView<Pack4<float>> rows, int at, AccumulatorPair<THalf> sum)
    {
        THalf.StoreLow(rows, at, sum.left);
        THalf.StoreLow(rows, at + Packs, sum.right);
    }

    public static void StoreHigh(ArrayView<Pack4<float>> rows, int at, AccumulatorPair<THalf> sum)
    {
        THalf.StoreHigh(rows, at, sum.left);
        THalf.StoreHigh(rows, at + Packs, sum.right);
    }
}
