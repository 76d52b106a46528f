using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.LayerNorm;

/// <summary>
/// y = (x - mean) / sqrt(variance + epsilon) weight + bias, mean and variance over each row. The lanes of a row read it three times, twice
/// from the cache: the variance is a sum of squared differences, since sums of squares would cancel.
/// </summary>
internal static class LayerNormForward
{
    /// <param name="x">(T, h), h numbers or packs of them</param>
    /// <param name="weight">(h)</param>
    /// <param name="bias">(h)</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="mean">(T), written</param>
    /// <param name="inverse">(T) 1 / sqrt(variance + epsilon), written</param>
    /// <param name="y">(T, h), written</param>
    public static void Run<T, TReal, TPack, TLanes>(
        ArrayView<TPack> x, ArrayView<TPack> weight, ArrayView<TPack> bias, T epsilon, ArrayView<T> mean, ArrayView<T> inverse,
        ArrayView<TPack> y)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int rows = mean.IntLength, width = weight.IntLength;
        T values = TReal.FromInt(width * TPack.Count);
        int lane = Grid.GlobalIndex.X % TLanes.Count, perRound = Grid.DimX * Group.DimX / TLanes.Count;
        // As many rounds for every thread: lanes without a row still take part in the sums.
        for (int start = 0; start < rows; start += perRound)
        {
            int own = start + Grid.GlobalIndex.X / TLanes.Count, row = own < rows ? own : rows - 1, first = row * width;
            TPack sum = default, rest = default, squares = default;
            for (int k = lane; k < width; k += TLanes.Count) sum += x[first + k];
            T center = TLanes.Sum(TPack.Sum(sum)) / values;
            for (int k = lane; k < width; k += TLanes.Count)
            {
                TPack difference = x[first + k] - TPack.Of(center);
                rest += difference;
                squares += difference * difference;
            }
            // What rounding left of the differences' sum corrects both.
            T shift = TLanes.Sum(TPack.Sum(rest)) / values;
            center += shift;
            T scale = T.One / TReal.Sqrt(TLanes.Sum(TPack.Sum(squares)) / values - shift * shift + epsilon);
            if (own < rows)
            {
                if (lane == 0)
                {
                    mean[row] = center;
                    inverse[row] = scale;
                }
                for (int k = lane; k < width; k += TLanes.Count)
                    y[first + k] = (x[first + k] - TPack.Of(center)) * scale * weight[k] + bias[k];
            }
        }
    }
}
