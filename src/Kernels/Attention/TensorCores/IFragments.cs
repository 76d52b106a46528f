using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// A lane's share of 16 tokens' rows of one head, as bfloat16, in registers. Rows are found by the lane's first pack of its two tokens,
/// that of <see cref="FragmentLayout.Row"/> and the eighth after it.
/// </summary>
internal interface IFragments<TSelf>
    where TSelf : unmanaged, IFragments<TSelf>
{
    /// <summary>The head's width in sixteens.</summary>
    static abstract int Blocks { get; }

    static abstract TSelf Load<TUnit>(ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit;

    /// <summary>sum + a b^T: dot products of 16 tokens with 16 others, whose rows are in memory.</summary>
    static abstract Accumulator Product<TUnit>(Accumulator sum, TSelf a, ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit;

    /// <summary>The lane's part of the dot products of its two tokens with rows of float32: four lanes have the whole.</summary>
    static abstract Pack2<float> Dot(TSelf a, ArrayView<Pack4<float>> rows, int low, int high);
}
