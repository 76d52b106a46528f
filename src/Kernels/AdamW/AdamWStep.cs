using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.AdamW;

/// <summary>
/// w *= 1 - lr wd;  m += (1 - b1)(g - m);  v = b2 v + (1 - b2) g^2;  w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon), over
/// many arrays at once: a group takes a chunk of one of them, found by its address in a table. Four numbers at a time, where all four arrays
/// are so aligned.
/// </summary>
internal static unsafe class AdamWStep
{
    /// <param name="chunks">(chunks, 5): addresses of w, g, m and v, and elements</param>
    /// <param name="keep">1 - lr wd</param>
    /// <param name="rest1">1 - b1</param>
    /// <param name="beta2">b2</param>
    /// <param name="rest2">1 - b2</param>
    /// <param name="step">lr / (1 - b1^t)</param>
    /// <param name="root">sqrt(1 - b2^t)</param>
    /// <param name="epsilon">Added to the root.</param>
    public static void Run<T, TReal>(ArrayView<long> chunks, T keep, T rest1, T beta2, T rest2, T step, T root, T epsilon)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        for (int chunk = Grid.IdxX; chunk < chunks.IntLength / 5; chunk += Grid.DimX)
        {
            long w = chunks[5 * chunk], g = chunks[5 * chunk + 1], m = chunks[5 * chunk + 2], v = chunks[5 * chunk + 3];
            int length = (int)chunks[5 * chunk + 4], fours = ((w | g | m | v) & 15) == 0 ? length / 4 : 0;
            for (int i = Group.IdxX; i < fours; i += Group.DimX)
            {
                Update<T, TReal, Pack4<T>>(
                    (Pack4<T>*)w, (Pack4<T>*)g, (Pack4<T>*)m, (Pack4<T>*)v, i, keep, rest1, beta2, rest2, step, root, epsilon);
            }
            for (int i = 4 * fours + Group.IdxX; i < length; i += Group.DimX)
            {
                Update<T, TReal, Pack1<T>>(
                    (Pack1<T>*)w, (Pack1<T>*)g, (Pack1<T>*)m, (Pack1<T>*)v, i, keep, rest1, beta2, rest2, step, root, epsilon);
            }
        }
    }

    private static void Update<T, TReal, TPack>(
        TPack* w, TPack* g, TPack* m, TPack* v, int i, T keep, T rest1, T beta2, T rest2, T step, T root, T epsilon)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        TPack gradient = g[i], first = m[i], second = v[i] * beta2 + gradient * rest2 * gradient;
        first += (gradient - first) * rest1;
        m[i] = first;
        v[i] = second;
        w[i] = w[i] * keep - first * step / (TPack.SqrtOf<TReal>(second, T.Zero) / TPack.Of(root) + TPack.Of(epsilon));
    }
}
