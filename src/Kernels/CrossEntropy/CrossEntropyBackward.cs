using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.CrossEntropy;

/// <summary>(softmax(x) - onehot(target)) times gradient / rows that count; 0 in the others. A thread an element.</summary>
internal static class CrossEntropyBackward
{
    /// <param name="gradient">(1) with respect to the mean</param>
    /// <param name="logits">(T, V)</param>
    /// <param name="targets">(T)</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="tops">(T) largest logit</param>
    /// <param name="sums">(T) sum of e^(x - top)</param>
    /// <param name="counted">(1) rows that count</param>
    /// <param name="result">(T, V), written</param>
    public static void Run<T, TReal>(
        ArrayView<T> gradient, ArrayView<T> logits, ArrayView<long> targets, long ignored, ArrayView<T> tops, ArrayView<T> sums,
        ArrayView<T> counted, ArrayView<T> result)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int width = logits.IntLength / targets.IntLength;
        T factor = gradient[0] / counted[0];
        for (int i = Grid.GlobalIndex.X; i < result.IntLength; i += Grid.DimX * Group.DimX)
        {
            int row = i / width;
            long target = targets[row];
            T probability = TReal.Exp(logits[i] - tops[row]) / sums[row];
            T slope = target == i - row * width ? probability - T.One : probability;
            result[i] = target == ignored ? T.Zero : slope * factor;
        }
    }
}
