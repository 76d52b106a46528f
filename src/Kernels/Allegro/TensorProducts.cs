using System.Numerics;
using ChemScale.Kernels.Device;
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
        ArrayView<long> receivers, ArrayView<TPack> ofEdges, ArrayView<TPack> ofAtoms, [Written] ArrayView<TPack> result)
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
        ArrayView<long> rowStarts, ArrayView<TPack> left, ArrayView<TPack> right, [Written] ArrayView<TPack> result)
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

/// <summary>The terms of a bilinear map by component of the result.</summary>
/// <param name="Starts">(components + 1): component a has terms Starts[a] .. Starts[a + 1] - 1</param>
/// <param name="First">(terms) component of the first factor</param>
/// <param name="Second">(terms) component of the second factor</param>
/// <param name="Values">(terms)</param>
/// <param name="Firsts">Components of the first factor.</param>
/// <param name="Seconds">Components of the second factor.</param>
public readonly record struct ProductTerms<T>(
    DeviceArray<int> Starts, DeviceArray<int> First, DeviceArray<int> Second, DeviceArray<T> Values, int Firsts, int Seconds)
    where T : unmanaged;

/// <summary>The tensor product kernels by their type parameters: number type, values a thread owns.</summary>
internal sealed class TensorProductKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. Of<float, Pack1<float>>(), .. Of<float, Pack4<float>>(), .. Of<double, Pack1<double>>(), .. Of<double, Pack4<double>>(),
    ];

    private static IEnumerable<KernelVariant> Of<T, TPack>()
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        bool wide = typeof(T) == typeof(double), four = typeof(TPack) == typeof(Pack4<T>);
        yield return new KernelVariant(TensorProductKernels<T, TPack>.ByEdges, four, four, Float64: wide);
        yield return new KernelVariant(TensorProductKernels<T, TPack>.ByReceivers, four, four, Float64: wide);
    }
}

/// <summary>Made once.</summary>
internal static class TensorProductKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod ByEdges = KernelMethod.Of(TensorProducts.ByEdges<T, TPack>);

    public static readonly KernelMethod ByReceivers = KernelMethod.Of(TensorProducts.ByReceivers<T, TPack>);
}

/// <summary>Launches the tensor product kernels. Shapes are those of the kernels; an empty result is no launch.</summary>
/// <param name="device">Where.</param>
/// <param name="terms">The terms.</param>
/// <param name="channels">U</param>
public sealed class TensorProductLauncher<T>(KernelDevice device, ProductTerms<T> terms, int channels)
    where T : unmanaged, INumber<T>
{
    public void ByEdges(DeviceArray<long> receivers, DeviceArray<T> ofEdges, DeviceArray<T> ofAtoms, DeviceArray<T> result)
    {
        if (Fours(ofEdges, ofAtoms, result)) Run<Pack4<T>>(4, TensorProductKernels<T, Pack4<T>>.ByEdges, receivers, ofEdges, ofAtoms,
            result);
        else Run<Pack1<T>>(1, TensorProductKernels<T, Pack1<T>>.ByEdges, receivers, ofEdges, ofAtoms, result);
    }

    public void ByReceivers(DeviceArray<long> rowStarts, DeviceArray<T> left, DeviceArray<T> right, DeviceArray<T> result)
    {
        if (Fours(left, right, result)) Run<Pack4<T>>(4, TensorProductKernels<T, Pack4<T>>.ByReceivers, rowStarts, left, right, result);
        else Run<Pack1<T>>(1, TensorProductKernels<T, Pack1<T>>.ByReceivers, rowStarts, left, right, result);
    }

    private void Run<TPack>(
        int width, KernelMethod kernel, DeviceArray<long> index, DeviceArray<T> left, DeviceArray<T> right, DeviceArray<T> result)
        where TPack : unmanaged =>
        device.Launch(kernel, device.Cover(result.Length / width),
            KernelArgument.Of(terms.Starts), KernelArgument.Of(terms.First), KernelArgument.Of(terms.Second),
            KernelArgument.Of(terms.Values),
            terms.Firsts, terms.Seconds, channels / width, KernelArgument.Of(index),
            KernelArgument.Of(left.As<TPack>()), KernelArgument.Of(right.As<TPack>()), KernelArgument.Of(result.As<TPack>()));

    private bool Fours(DeviceArray<T> left, DeviceArray<T> right, DeviceArray<T> result) =>
        channels % 4 == 0 && left.IsAligned && right.IsAligned && result.IsAligned;
}
