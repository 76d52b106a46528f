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
