using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.LayerNorm;

/// <summary>Gradients: by row with respect to x, by column with respect to weight and bias.</summary>
internal static class LayerNormBackward
{
    /// <summary>With n = (x - mean) / sigma, a = g weight: g_x = (a - mean(a) - n mean(a n)) / sigma. Lanes share the means.</summary>
    /// <param name="gradient">(T, h) g</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weight">(h)</param>
    /// <param name="mean">(T)</param>
    /// <param name="inverse">(T) 1 / sigma</param>
    /// <param name="xGradient">(T, h), written</param>
    public static void Rows<T, TReal, TLanes>(
        ArrayView<T> gradient, ArrayView<T> x, ArrayView<T> weight, ArrayView<T> mean, ArrayView<T> inverse, ArrayView<T> xGradient)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TLanes : struct, ILanes
    {
        int rows = mean.IntLength, width = weight.IntLength;
        int lane = Grid.GlobalIndex.X % TLanes.Count, perRound = Grid.DimX * Group.DimX / TLanes.Count;
        for (int start = 0; start < rows; start += perRound)
        {
            int own = start + Grid.GlobalIndex.X / TLanes.Count, row = own < rows ? own : rows - 1, first = row * width;
            T center = mean[row], scale = inverse[row], plain = T.Zero, along = T.Zero;
            for (int k = lane; k < width; k += TLanes.Count)
            {
                T a = gradient[first + k] * weight[k];
                plain += a;
                along += a * ((x[first + k] - center) * scale);
            }
            plain = TLanes.Sum(plain) / TReal.FromInt(width);
            along = TLanes.Sum(along) / TReal.FromInt(width);
            if (own < rows)
            {
                for (int k = lane; k < width; k += TLanes.Count)
                {
                    T normal = (x[first + k] - center) * scale;
                    xGradient[first + k] = (gradient[first + k] * weight[k] - plain - normal * along) * scale;
                }
            }
        }
    }

    /// <summary>Sums of g n and of g over each chunk of rows. A thread owns a column of a chunk, so neighbours read neighbours.</summary>
    /// <param name="chunkLength">Rows of a chunk.</param>
    /// <param name="gradient">(T, h) g</param>
    /// <param name="x">(T, h)</param>
    /// <param name="mean">(T)</param>
    /// <param name="inverse">(T)</param>
    /// <param name="width">h</param>
    /// <param name="partials">(chunks, 2, h), written</param>
    public static void Columns<T>(
        int chunkLength, ArrayView<T> gradient, ArrayView<T> x, ArrayView<T> mean, ArrayView<T> inverse, int width, ArrayView<T> partials)
        where T : unmanaged, INumber<T>
    {
        int rows = mean.IntLength, total = partials.IntLength / 2;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int chunk = i / width, column = i - chunk * width, row = chunk * chunkLength, end = row + chunkLength;
            end = end < rows ? end : rows;
            T byWeight = T.Zero, byBias = T.Zero;
            for (; row < end; row++)
            {
                T g = gradient[row * width + column];
                byBias += g;
                byWeight += g * ((x[row * width + column] - mean[row]) * inverse[row]);
            }
            partials[2 * chunk * width + column] = byWeight;
            partials[(2 * chunk + 1) * width + column] = byBias;
        }
    }
}
