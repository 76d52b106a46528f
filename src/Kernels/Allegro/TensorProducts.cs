using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Allegro;

/// <summary>
/// Sparse products of components over edges, channel by channel: result_a,u = sum over the terms t of component a of
/// value_t p_first(t),u q_second(t),u. A thread owns one component of a few channels and walks its terms in order. The product and all its
/// derivatives are of these two shapes.
/// </summary>
internal static class TensorProducts
{
    /// <summary>A value for each edge, from values of edges and of their receivers.</summary>
    /// <param name="starts">(components + 1): component a has terms starts[a] .. starts[a + 1] - 1</param>
    /// <param name="first">(terms) component of the values of edges</param>
    /// <param name="second">(terms) component of the values of atoms</param>
    /// <param name="values">(terms)</param>
    /// <param name="firsts">Components of a value of an edge.</param>
    /// <param name="seconds">Components of a value of an atom.</param>
    /// <param name="packs">Packs of U channels.</param>
    /// <param name="receivers">(E)</param>
    /// <param name="ofEdges">(E, firsts, U)</param>
    /// <param name="ofAtoms">(A, seconds, U)</param>
    /// <param name="result">(E, components, U), written</param>
    public static void ByEdges<T, TPack>(
        ArrayView<int> starts, ArrayView<int> first, ArrayView<int> second, ArrayView<T> values, int firsts, int seconds, int packs,
        ArrayView<long> receivers, ArrayView<TPack> ofEdges, ArrayView<TPack> ofAtoms, ArrayView<TPack> result)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int components = starts.IntLength - 1;
        for (int item = Grid.GlobalIndex.X; item < result.IntLength; item += Grid.DimX * Group.DimX)
        {
            int row = item / packs, u = item - row * packs, edge = row / components, a = row - edge * components;
            int p = edge * firsts * packs + u, q = (int)receivers[edge] * seconds * packs + u;
            TPack sum = default;
            for (int t = starts[a]; t < starts[a + 1]; t++)
                sum += ofEdges[p + first[t] * packs] * ofAtoms[q + second[t] * packs] * values[t];
            result[item] = sum;
        }
    }

    /// <summary>A value for each atom: the sum over the edges that it receives, from two values of each.</summary>
    /// <param name="starts">(components + 1): component a has terms starts[a] .. starts[a + 1] - 1</param>
    /// <param name="first">(terms) component of the first values</param>
    /// <param name="second">(terms) component of the second values</param>
    /// <param name="values">(terms)</param>
    /// <param name="firsts">Components of a first value.</param>
    /// <param name="seconds">Components of a second value.</param>
    /// <param name="packs">Packs of U channels.</param>
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="left">(E, firsts, U)</param>
    /// <param name="right">(E, seconds, U)</param>
    /// <param name="result">(A, components, U), written</param>
    public static void ByReceivers<T, TPack>(
        ArrayView<int> starts, ArrayView<int> first, ArrayView<int> second, ArrayView<T> values, int firsts, int seconds, int packs,
        ArrayView<long> rowStarts, ArrayView<TPack> left, ArrayView<TPack> right, ArrayView<TPack> result)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int components = starts.IntLength - 1;
        for (int item = Grid.GlobalIndex.X; item < result.IntLength; item += Grid.DimX * Group.DimX)
        {
            int row = item / packs, u = item - row * packs, atom = row / components, a = row - atom * components;
            TPack sum = default;
            for (int edge = (int)rowStarts[atom]; edge < (int)rowStarts[atom + 1]; edge++)
            {
                int p = edge * firsts * packs + u, q = edge * seconds * packs + u;
                // Sums of sums: one long sum of all terms would lose bits.
                TPack one = default;
                for (int t = starts[a]; t < starts[a + 1]; t++)
                    one += left[p + first[t] * packs] * right[q + second[t] * packs] * values[t];
                sum += one;
            }
            result[item] = sum;
        }
    }
}
