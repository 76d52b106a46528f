using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

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
