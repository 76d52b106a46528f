using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.CrossEntropy;

/// <summary>(softmax(x) - onehot(target)) times gradient / rows that count; 0 in the others. A thread an element, or four.</summary>
internal static class CrossEntropyBackward
{
    /// <param name="gradient">(1) with respect to the mean</param>
    /// <param name="logits">(T, V), V numbers or packs of them</param>
    /// <param name="targets">(T)</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="tops">(T) largest logit</param>
    /// <param name="sums">(T) sum of e^(x - top)</param>
    /// <param name="counted">(1) rows that count</param>
    /// <param name="result">(T, V), written</param>
    public static void Run<T, TReal, TPack>(
        ArrayView<T> gradient, ArrayView<TPack> logits, ArrayView<long> targets, long ignored, ArrayView<T> tops, ArrayView<T> sums,
        ArrayView<T> counted, ArrayView<TPack> result)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int width = logits.IntLength / targets.IntLength;
        T factor = gradient[0] / counted[0];
        for (int i = Grid.GlobalIndex.X; i < result.IntLength; i += Grid.DimX * Group.DimX)
        {
            int row = i / width, first = (i - row * width) * TPack.Count;
            long target = targets[row];
            TPack probability = TPack.Map<Exponential<T, TReal>>(logits[i] - TPack.Of(tops[row])) / TPack.Of(sums[row]);
            // A row that does not count is zero whatever its numbers are.
            result[i] = target == ignored ? default : (probability - TPack.Unit(target - first)) * factor;
        }
    }
}
