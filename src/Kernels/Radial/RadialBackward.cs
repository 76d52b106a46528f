using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Radial;

/// <summary>
/// Gradient with respect to the edge vectors: with u = r / d and v = g_d + g_f f'(d) + sum over k of g_k phi_k'(d),
/// g_r = v u + (h - (u . h) u) / d. A few lanes share an edge and sum over k.
/// </summary>
internal static class RadialBackward
{
    /// <param name="edgeVectors">(E, 3) A</param>
    /// <param name="centers">(K)</param>
    /// <param name="exponents">(K); anything of that length where the basis has none</param>
    /// <param name="cutoff">A</param>
    /// <param name="power">Of the polynomial cutoff.</param>
    /// <param name="distanceGradient">(E, 1) g_d; this and the next three may be empty: zero</param>
    /// <param name="directionGradient">(E, 3) h</param>
    /// <param name="envelopeGradient">(E, 1) g_f</param>
    /// <param name="radialGradient">(E, K) g_k</param>
    /// <param name="vectorGradient">(E, 3) g_r, written</param>
    public static void Run<T, TReal, TFunction, TCutoff, TLanes>(
        ArrayView<T> edgeVectors, ArrayView<T> centers, ArrayView<T> exponents, T cutoff, int power,
        ArrayView<T> distanceGradient, ArrayView<T> directionGradient, ArrayView<T> envelopeGradient, ArrayView<T> radialGradient,
        [Written] ArrayView<T> vectorGradient)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TFunction : struct, IRadialFunction<T, TReal>
        where TCutoff : struct, ICutoffFunction<T, TReal>
        where TLanes : struct, ILanes
    {
        int edges = edgeVectors.IntLength / 3, count = radialGradient.IntLength > 0 ? centers.IntLength : 0;
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        // As many rounds for every thread: lanes without an edge still take part in the sums.
        for (int start = 0; start < edges; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), edge = own < edges ? own : edges - 1;
            EdgeGeometry<T> u = EdgeGeometry<T>.Load<TReal>(edgeVectors, edge);
            T sum = T.Zero;
            for (int k = lane; k < count; k += TLanes.Count)
            {
                sum += radialGradient[edge * count + k] * TFunction.At(u.Distance, u.Inverse, centers[k], exponents[k]).First;
            }
            sum = TLanes.Sum(sum);
            if (lane == 0 && own < edges)
            {
                if (distanceGradient.IntLength > 0) sum += distanceGradient[edge];
                if (envelopeGradient.IntLength > 0) sum += envelopeGradient[edge] * TCutoff.At(u.Distance, cutoff, power).First;
                T x = T.Zero, y = T.Zero, z = T.Zero;
                if (directionGradient.IntLength > 0)
                {
                    x = directionGradient[3 * edge];
                    y = directionGradient[3 * edge + 1];
                    z = directionGradient[3 * edge + 2];
                    T along = u.X * x + u.Y * y + u.Z * z;
                    x = (x - along * u.X) * u.Inverse;
                    y = (y - along * u.Y) * u.Inverse;
                    z = (z - along * u.Z) * u.Inverse;
                }
                vectorGradient[3 * edge] = sum * u.X + x;
                vectorGradient[3 * edge + 1] = sum * u.Y + y;
                vectorGradient[3 * edge + 2] = sum * u.Z + z;
            }
        }
    }
}

/// <summary>
/// Gradients of S = w . g_r, with g_r as in <see cref="RadialBackward"/>, s = w . u, t = u . h and v' = g_f f'' + sum of g_k phi_k'':
/// by g_d: s; by g_k: s phi_k'; by g_f: s f'; by h: (w - s u) / d; by r, with a = w - s u and b = h - t u:
/// s v' u + (v a - (t a + s b + (w . h - s t) u) / d) / d.
/// </summary>
internal static class RadialDoubleBackward
{
    /// <param name="edgeVectors">(E, 3) A</param>
    /// <param name="centers">(K)</param>
    /// <param name="exponents">(K); anything of that length where the basis has none</param>
    /// <param name="cutoff">A</param>
    /// <param name="power">Of the polynomial cutoff.</param>
    /// <param name="distanceGradient">(E, 1) g_d; this and the next three may be empty: zero</param>
    /// <param name="directionGradient">(E, 3) h</param>
    /// <param name="envelopeGradient">(E, 1) g_f</param>
    /// <param name="radialGradient">(E, K) g_k</param>
    /// <param name="cotangent">(E, 3) w</param>
    /// <param name="byVectors">(E, 3), written</param>
    /// <param name="byDistance">(E, 1), written; this and the next three may be empty: not wanted</param>
    /// <param name="byDirection">(E, 3)</param>
    /// <param name="byEnvelope">(E, 1)</param>
    /// <param name="byRadial">(E, K)</param>
    public static void Run<T, TReal, TFunction, TCutoff, TLanes>(
        ArrayView<T> edgeVectors, ArrayView<T> centers, ArrayView<T> exponents, T cutoff, int power,
        ArrayView<T> distanceGradient, ArrayView<T> directionGradient, ArrayView<T> envelopeGradient, ArrayView<T> radialGradient,
        ArrayView<T> cotangent,
        [Written] ArrayView<T> byVectors, [Written] ArrayView<T> byDistance, ArrayView<T> byDirection, ArrayView<T> byEnvelope, ArrayView<T> byRadial)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TFunction : struct, IRadialFunction<T, TReal>
        where TCutoff : struct, ICutoffFunction<T, TReal>
        where TLanes : struct, ILanes
    {
        int edges = edgeVectors.IntLength / 3, count = radialGradient.IntLength > 0 ? centers.IntLength : 0;
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        for (int start = 0; start < edges; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), edge = own < edges ? own : edges - 1;
            EdgeGeometry<T> u = EdgeGeometry<T>.Load<TReal>(edgeVectors, edge);
            T wx = cotangent[3 * edge], wy = cotangent[3 * edge + 1], wz = cotangent[3 * edge + 2];
            T s = wx * u.X + wy * u.Y + wz * u.Z;
            T v = T.Zero, bend = T.Zero;
            for (int k = lane; k < count; k += TLanes.Count)
            {
                Jet<T> phi = TFunction.At(u.Distance, u.Inverse, centers[k], exponents[k]);
                T g = radialGradient[edge * count + k];
                v += g * phi.First;
                bend += g * phi.Second;
                if (byRadial.IntLength > 0 && own < edges) byRadial[edge * count + k] = s * phi.First;
            }
            v = TLanes.Sum(v);
            bend = TLanes.Sum(bend);
            if (lane == 0 && own < edges)
            {
                if (distanceGradient.IntLength > 0) v += distanceGradient[edge];
                if (byDistance.IntLength > 0) byDistance[edge] = s;
                if (envelopeGradient.IntLength > 0)
                {
                    Jet<T> f = TCutoff.At(u.Distance, cutoff, power);
                    v += envelopeGradient[edge] * f.First;
                    bend += envelopeGradient[edge] * f.Second;
                    if (byEnvelope.IntLength > 0) byEnvelope[edge] = s * f.First;
                }
                T ax = wx - s * u.X, ay = wy - s * u.Y, az = wz - s * u.Z;
                T x = v * ax, y = v * ay, z = v * az;
                if (directionGradient.IntLength > 0)
                {
                    T hx = directionGradient[3 * edge], hy = directionGradient[3 * edge + 1], hz = directionGradient[3 * edge + 2];
                    T t = u.X * hx + u.Y * hy + u.Z * hz, mixed = wx * hx + wy * hy + wz * hz - s * t;
                    x -= (t * ax + s * (hx - t * u.X) + mixed * u.X) * u.Inverse;
                    y -= (t * ay + s * (hy - t * u.Y) + mixed * u.Y) * u.Inverse;
                    z -= (t * az + s * (hz - t * u.Z) + mixed * u.Z) * u.Inverse;
                }
                if (byDirection.IntLength > 0)
                {
                    byDirection[3 * edge] = ax * u.Inverse;
                    byDirection[3 * edge + 1] = ay * u.Inverse;
                    byDirection[3 * edge + 2] = az * u.Inverse;
                }
                bend *= s;
                byVectors[3 * edge] = bend * u.X + x * u.Inverse;
                byVectors[3 * edge + 1] = bend * u.Y + y * u.Inverse;
                byVectors[3 * edge + 2] = bend * u.Z + z * u.Inverse;
            }
        }
    }
}
