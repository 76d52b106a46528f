using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.AdamW;

/// <summary>
/// w *= 1 - lr wd;  m += (1 - b1)(g - m);  v = b2 v + (1 - b2) g^2;  w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon), over
/// many arrays at once: a group takes a chunk of one of them, found by its address in a table. Four numbers at a time, where all four
/// arrays are so aligned.
/// </summary>
internal static class AdamWStep
{
    /// <param name="memory">All memory.</param>
    /// <param name="packs">The same.</param>
    /// <param name="chunks">(chunks, 5): addresses of w, g, m and v, and elements</param>
    /// <param name="keep">1 - lr wd</param>
    /// <param name="rest1">1 - b1</param>
    /// <param name="beta2">b2</param>
    /// <param name="rest2">1 - b2</param>
    /// <param name="step">lr / (1 - b1^t)</param>
    /// <param name="root">sqrt(1 - b2^t)</param>
    /// <param name="epsilon">Added to the root.</param>
    public static void Run<T, TReal>(
        ArrayView<Pack1<T>> memory, ArrayView<Pack4<T>> packs, ArrayView<long> chunks, T keep, T rest1, T beta2, T rest2, T step, T root,
        T epsilon)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int size = Interop.SizeOf<T>();
        for (int chunk = Grid.IdxX; chunk < chunks.IntLength / 5; chunk += Grid.DimX)
        {
            long w = chunks[5 * chunk] / size, g = chunks[5 * chunk + 1] / size;
            long m = chunks[5 * chunk + 2] / size, v = chunks[5 * chunk + 3] / size;
            int length = (int)chunks[5 * chunk + 4], fours = ((w | g | m | v) & 3) == 0 ? length / 4 : 0;
            for (int i = Group.IdxX; i < fours; i += Group.DimX)
            {
                Update<T, TReal, Pack4<T>>(
                    packs, w / 4 + i, g / 4 + i, m / 4 + i, v / 4 + i, keep, rest1, beta2, rest2, step, root, epsilon);
            }
            for (int i = 4 * fours + Group.IdxX; i < length; i += Group.DimX)
                Update<T, TReal, Pack1<T>>(memory, w + i, g + i, m + i, v + i, keep, rest1, beta2, rest2, step, root, epsilon);
        }
    }

    private static void Update<T, TReal, TPack>(
        ArrayView<TPack> memory, long w, long g, long m, long v, T keep, T rest1, T beta2, T rest2, T step, T root, T epsilon)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        TPack gradient = memory[g], first = memory[m], second = memory[v] * beta2 + gradient * rest2 * gradient;
        first += (gradient - first) * rest1;
        memory[m] = first;
        memory[v] = second;
        memory[w] = memory[w] * keep - first * step / (TPack.SqrtOf<TReal>(second, T.Zero) / TPack.Of(root) + TPack.Of(epsilon));
    }
}
