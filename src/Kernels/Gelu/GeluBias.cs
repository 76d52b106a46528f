using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Gelu;

/// <summary>
/// GELU in its tanh form of v = x + bias: with u = 2 sqrt(2/pi) (v + 0.044715 v^3) and s = 1 / (1 + e^-u), y = v s and
/// dy/dv = s + v s (1 - s) u'. One exponential and one division an element.
/// </summary>
internal static class GeluBias
{
    private const double Slope = 1.5957691216057308; // 2 sqrt(2/pi)

    private const double Cubic = 0.044715;

    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="y">(T, n), written</param>
    public static void Forward<T, TReal>(ArrayView<T> x, ArrayView<T> bias, ArrayView<T> y)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int width = bias.IntLength;
        for (int i = Grid.GlobalIndex.X; i < y.IntLength; i += Grid.DimX * Group.DimX)
        {
            T v = x[i] + bias[i % width];
            y[i] = v * Sigmoid<T, TReal>(v);
        }
    }

    /// <summary>The gradient, and its sums over each chunk of rows. A thread a column of a chunk: neighbours read neighbours.</summary>
    /// <param name="chunkLength">Rows of a chunk.</param>
    /// <param name="gradient">(T, n) with respect to y</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="xGradient">(T, n), written</param>
    /// <param name="partials">(chunks, n), written</param>
    public static void Backward<T, TReal>(
        int chunkLength, ArrayView<T> gradient, ArrayView<T> x, ArrayView<T> bias, ArrayView<T> xGradient, ArrayView<T> partials)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int width = bias.IntLength, rows = x.IntLength / width, total = partials.IntLength;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int chunk = i / width, column = i - chunk * width, row = chunk * chunkLength, end = row + chunkLength;
            end = end < rows ? end : rows;
            T shift = bias[column], sum = T.Zero;
            for (; row < end; row++)
            {
                int at = row * width + column;
                T v = x[at] + shift, s = Sigmoid<T, TReal>(v);
                T slope = TReal.Of(Slope) + v * v * TReal.Of(3 * Slope * Cubic);
                T result = gradient[at] * (s + v * s * ((T.One - s) * slope));
                xGradient[at] = result;
                sum += result;
            }
            partials[i] = sum;
        }
    }

    private static T Sigmoid<T, TReal>(T v)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        T minusU = v * (TReal.Of(-Slope) + v * v * TReal.Of(-Slope * Cubic));
        return T.One / (T.One + TReal.Exp(minusU));
    }
}
