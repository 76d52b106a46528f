using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.AdamW;

/// <summary>
/// w *= 1 - lr wd;  m += (1 - b1)(g - m);  v = b2 v + (1 - b2) g^2;  w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon), over
/// many arrays at once: a group takes a chunk of one of them, found by its address in a table.
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
            T* w = (T*)chunks[5 * chunk], g = (T*)chunks[5 * chunk + 1], m = (T*)chunks[5 * chunk + 2], v = (T*)chunks[5 * chunk + 3];
            int length = (int)chunks[5 * chunk + 4];
            for (int i = Group.IdxX; i < length; i += Group.DimX)
            {
                T gradient = g[i], first = m[i], second = v[i] * beta2 + rest2 * gradient * gradient;
                first += rest1 * (gradient - first);
                m[i] = first;
                v[i] = second;
                w[i] = w[i] * keep - step * first / (TReal.Sqrt(second) / root + epsilon);
            }
        }
    }
}
