using System.Numerics;
using ChemScale.Kernels.Device;
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
        ArrayView<TPack> x, ArrayView<TPack> weight, ArrayView<TPack> bias, T epsilon, [Written] ArrayView<T> mean, [Written] ArrayView<T> inverse,
        [Written] ArrayView<TPack> y)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int rows = mean.IntLength, width = weight.IntLength;
        T values = TReal.FromInt(width * TPack.Count);
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        // As many rounds for every thread: lanes without a row still take part in the sums.
        for (int start = 0; start < rows; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), row = own < rows ? own : rows - 1, first = row * width;
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

/// <summary>Gradients: by row with respect to x, by column with respect to weight and bias.</summary>
internal static class LayerNormBackward
{
    /// <summary>With n = (x - mean) / sigma, a = g weight: g_x = (a - mean(a) - n mean(a n)) / sigma. Lanes share the means.</summary>
    /// <param name="gradient">(T, h) g, h numbers or packs of them</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weight">(h)</param>
    /// <param name="mean">(T)</param>
    /// <param name="inverse">(T) 1 / sigma</param>
    /// <param name="xGradient">(T, h), written</param>
    public static void Rows<T, TReal, TPack, TLanes>(
        ArrayView<TPack> gradient, ArrayView<TPack> x, ArrayView<TPack> weight, ArrayView<T> mean, ArrayView<T> inverse,
        [Written] ArrayView<TPack> xGradient)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int rows = mean.IntLength, width = weight.IntLength;
        T values = TReal.FromInt(width * TPack.Count);
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        for (int start = 0; start < rows; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), row = own < rows ? own : rows - 1, first = row * width;
            T scale = inverse[row];
            TPack center = TPack.Of(mean[row]), plain = default, along = default;
            for (int k = lane; k < width; k += TLanes.Count)
            {
                TPack a = gradient[first + k] * weight[k];
                plain += a;
                along += a * ((x[first + k] - center) * scale);
            }
            TPack plainMean = TPack.Of(TLanes.Sum(TPack.Sum(plain)) / values);
            T alongMean = TLanes.Sum(TPack.Sum(along)) / values;
            if (own < rows)
            {
                for (int k = lane; k < width; k += TLanes.Count)
                {
                    TPack normal = (x[first + k] - center) * scale;
                    xGradient[first + k] = (gradient[first + k] * weight[k] - plainMean - normal * alongMean) * scale;
                }
            }
        }
    }

    /// <summary>Sums of g n and of g over each chunk of rows. A thread owns a column of a chunk, so neighbours read neighbours.</summary>
    /// <param name="chunkLength">Rows of a chunk.</param>
    /// <param name="gradient">(T, h) g, h numbers or packs of them</param>
    /// <param name="x">(T, h)</param>
    /// <param name="mean">(T)</param>
    /// <param name="inverse">(T)</param>
    /// <param name="width">h</param>
    /// <param name="partials">(chunks, 2, h), written</param>
    public static void Columns<T, TPack>(
        int chunkLength, ArrayView<TPack> gradient, ArrayView<TPack> x, ArrayView<T> mean, ArrayView<T> inverse, int width,
        [Written] ArrayView<TPack> partials)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int rows = mean.IntLength, total = partials.IntLength / 2;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int chunk = i / width, column = i - chunk * width, row = chunk * chunkLength, end = row + chunkLength;
            end = end < rows ? end : rows;
            TPack byWeight = default, byBias = default;
            for (; row < end; row++)
            {
                TPack g = gradient[row * width + column];
                byBias += g;
                byWeight += g * ((x[row * width + column] - TPack.Of(mean[row])) * inverse[row]);
            }
            partials[2 * chunk * width + column] = byWeight;
            partials[(2 * chunk + 1) * width + column] = byBias;
        }
    }
}
