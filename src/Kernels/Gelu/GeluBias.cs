using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Gelu;

/// <summary>
/// GELU in its tanh form of x + bias, and its gradient: <see cref="GeluValue{T,TReal}"/> and <see cref="GeluSlope{T,TReal}"/>.
/// </summary>
internal static class GeluBias
{
    /// <param name="x">(T, n), n numbers or packs of them</param>
    /// <param name="bias">(n)</param>
    /// <param name="y">(T, n), written</param>
    public static void Forward<T, TReal, TPack>(ArrayView<TPack> x, ArrayView<TPack> bias, ArrayView<TPack> y)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int width = bias.IntLength;
        for (int i = Grid.GlobalIndex.X; i < y.IntLength; i += Grid.DimX * Group.DimX)
            y[i] = TPack.Map<GeluValue<T, TReal>>(x[i] + bias[i % width]);
    }

    /// <summary>The gradient, and its sums over each chunk of rows. A thread a column of a chunk: neighbours read neighbours.</summary>
    /// <param name="chunkLength">Rows of a chunk.</param>
    /// <param name="gradient">(T, n) with respect to y, n numbers or packs of them</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="xGradient">(T, n), written</param>
    /// <param name="partials">(chunks, n), written</param>
    public static void Backward<T, TReal, TPack>(
        int chunkLength, ArrayView<TPack> gradient, ArrayView<TPack> x, ArrayView<TPack> bias, ArrayView<TPack> xGradient,
        ArrayView<TPack> partials)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int width = bias.IntLength, rows = x.IntLength / width, total = partials.IntLength;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int chunk = i / width, column = i - chunk * width, row = chunk * chunkLength, end = row + chunkLength;
            end = end < rows ? end : rows;
            TPack shift = bias[column], sum = default;
            for (; row < end; row++)
            {
                int at = row * width + column;
                TPack result = gradient[at] * TPack.Map<GeluSlope<T, TReal>>(x[at] + shift);
                xGradient[at] = result;
                sum += result;
            }
            partials[i] = sum;
        }
    }
}
