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

    /// <param name="rows">Written.</param>
    /// <param name="sum">What.</param>
    /// <param name="low">The lane's first pack of its first row.</param>
    /// <param name="lowActive">False: that row is none.</param>
    /// <param name="high">The same of its other row.</param>
    /// <param name="highActive">False: that row is none.</param>
    static abstract void Store(ArrayView<Pack4<float>> rows, TSelf sum, int low, bool lowActive, int high, bool highActive);
}
