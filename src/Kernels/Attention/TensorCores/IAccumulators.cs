using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>A lane's share of 16 tokens' sums over one head, in float32, in registers.</summary>
internal interface IAccumulators<TSelf>
    where TSelf : unmanaged, IAccumulators<TSelf>
{
    /// <summary>The head's width in sixteens.</summary>
    static abstract int Blocks { get; }

    static abstract TSelf Zero { get; }

    /// <summary>Each of the lane's two rows times its own factor.</summary>
    static abstract TSelf Scale(TSelf sum, float low, float high);

    /// <summary>sum + weights times the rows of 16 other tokens.</summary>
    static abstract TSelf Add<TUnit>(TSelf sum, Fragment weights, ArrayView<Pack2<float>> rows, TransposedRows at)
        where TUnit : struct, IMatrixUnit;

    /// <summary>Writes the lane's first row.</summary>
    /// <param name="rows">Where.</param>
    /// <param name="at">The lane's first pack there.</param>
    /// <param name="sum">What.</param>
    static abstract void StoreLow(ArrayView<Pack4<float>> rows, int at, TSelf sum);

    /// <summary>Writes the lane's other row.</summary>
    static abstract void StoreHigh(ArrayView<Pack4<float>> rows, int at, TSelf sum);
}
