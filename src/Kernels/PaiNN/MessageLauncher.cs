using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.PaiNN;

/// <summary>Launches the kernels of PaiNN's message. Shapes are those of the kernels; the filter is G^T (K + 1, 3, F).</summary>
/// <param name="device">Where.</param>
/// <param name="edges">The edges.</param>
/// <param name="values">x, mu, u, R</param>
/// <param name="filter">(K + 1, 3, F) G^T</param>
/// <param name="features">F</param>
public sealed class MessageLauncher<T>(KernelDevice device, MessageEdges edges, MessageValues<T> values, DeviceArray<T> filter,
    int features)
    where T : unmanaged, INumber<T>
{
    // Fewer packs than this would leave most lanes of a warp without work.
    private const int PacksOfWarp = 16;

    public void Forward(MessageSums<T> sums)
    {
        if (Fours(sums.Scalars, sums.Vectors)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(MessageKernels<T, TPack>.Forward, Cover<TPack>(sums.Scalars.Length),
                KernelArgument.Of(edges.RowStarts), KernelArgument.Of(edges.Senders), Packs<TPack>(values.Context),
                Packs<TPack>(values.Vectors),
                KernelArgument.Of(values.Directions), KernelArgument.Of(values.Radial), Packs<TPack>(filter),
                Packs<TPack>(sums.Scalars), Packs<TPack>(sums.Vectors));
    }

    /// <summary>By x and mu.</summary>
    public void BySenders(MessageSums<T> gradient, DeviceArray<T> byContext, DeviceArray<T> byVectors)
    {
        if (Fours(gradient.Scalars, gradient.Vectors, byContext, byVectors)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(MessageKernels<T, TPack>.BySenders, Cover<TPack>(gradient.Scalars.Length),
                KernelArgument.Of(edges.SenderStarts), KernelArgument.Of(edges.SentEdges), KernelArgument.Of(edges.Receivers),
                Packs<TPack>(values.Context), Packs<TPack>(values.Vectors), KernelArgument.Of(values.Directions),
                KernelArgument.Of(values.Radial),
                Packs<TPack>(filter), Packs<TPack>(gradient.Scalars), Packs<TPack>(gradient.Vectors), Packs<TPack>(byContext),
                Packs<TPack>(byVectors));
    }

    /// <summary>By w (n, 3, F) and u, of the n edges from one on.</summary>
    public void ByEdges(MessageSums<T> gradient, int from, DeviceArray<T> byFilters, DeviceArray<T> byDirections)
    {
        if (Fours(gradient.Scalars, gradient.Vectors, byFilters)) Choose<Pack4<T>>(features / 4);
        else Choose<Pack1<T>>(features);

        void Choose<TPack>(int packs)
            where TPack : unmanaged, IPack<T, TPack>
        {
            if (device.WarpSize == 1) Launch<TPack, OneLane>(packs);
            else if (packs < PacksOfWarp) Launch<TPack, FourLanes>(packs);
            else Launch<TPack, WarpLanes>(packs);
        }

        void Launch<TPack, TLanes>(int packs)
            where TPack : unmanaged, IPack<T, TPack>
            where TLanes : struct, ILanes =>
            device.Launch(MessageKernels<T, TPack, TLanes>.ByEdges,
                device.Cover((byFilters.Length / (3 * features) + 3) / 4 * TLanes.Count),
                KernelArgument.Of(edges.Senders), KernelArgument.Of(edges.Receivers), Packs<TPack>(values.Context),
                Packs<TPack>(values.Vectors),
                KernelArgument.Of(values.Directions), KernelArgument.Of(values.Radial), Packs<TPack>(filter),
                Packs<TPack>(gradient.Scalars), Packs<TPack>(gradient.Vectors), packs, from, Packs<TPack>(byFilters),
                KernelArgument.Of(byDirections));
    }

    /// <summary>By the gradients of dq and dmu.</summary>
    public void TangentByReceivers(MessageValues<T> tangent, MessageSums<T> byGradient)
    {
        if (Fours(tangent.Context, tangent.Vectors, byGradient.Scalars, byGradient.Vectors)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(MessageKernels<T, TPack>.TangentByReceivers, Cover<TPack>(byGradient.Scalars.Length),
                KernelArgument.Of(edges.RowStarts), KernelArgument.Of(edges.Senders), Packs<TPack>(values.Context),
                Packs<TPack>(values.Vectors),
                KernelArgument.Of(values.Directions), KernelArgument.Of(values.Radial), Packs<TPack>(filter),
                Packs<TPack>(tangent.Context), Packs<TPack>(tangent.Vectors), KernelArgument.Of(tangent.Directions),
                KernelArgument.Of(tangent.Radial),
                Packs<TPack>(byGradient.Scalars), Packs<TPack>(byGradient.Vectors));
    }

    /// <summary>By x and mu.</summary>
    public void TangentBySenders(MessageValues<T> tangent, MessageSums<T> gradient, DeviceArray<T> byContext, DeviceArray<T> byVectors)
    {
        if (Fours(tangent.Context, tangent.Vectors, gradient.Scalars, gradient.Vectors, byContext, byVectors)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(MessageKernels<T, TPack>.TangentBySenders, Cover<TPack>(gradient.Scalars.Length),
                KernelArgument.Of(edges.SenderStarts), KernelArgument.Of(edges.SentEdges), KernelArgument.Of(edges.Receivers),
                Packs<TPack>(values.Context), Packs<TPack>(values.Vectors), KernelArgument.Of(values.Directions),
                KernelArgument.Of(values.Radial),
                Packs<TPack>(filter),
                Packs<TPack>(tangent.Context), Packs<TPack>(tangent.Vectors), KernelArgument.Of(tangent.Directions),
                KernelArgument.Of(tangent.Radial),
                Packs<TPack>(gradient.Scalars), Packs<TPack>(gradient.Vectors), Packs<TPack>(byContext), Packs<TPack>(byVectors));
    }

    /// <summary>By w and its tangent (n, 3, F) and u, of the n edges from one on.</summary>
    public void TangentByEdges(
        MessageValues<T> tangent, MessageSums<T> gradient, int from, DeviceArray<T> byFilters, DeviceArray<T> byFiltersTangent,
        DeviceArray<T> byDirections)
    {
        if (Fours(tangent.Context, tangent.Vectors, gradient.Scalars, gradient.Vectors, byFilters, byFiltersTangent))
            Choose<Pack4<T>>(features / 4);
        else Choose<Pack1<T>>(features);

        void Choose<TPack>(int packs)
            where TPack : unmanaged, IPack<T, TPack>
        {
            if (device.WarpSize == 1) Launch<TPack, OneLane>(packs);
            else if (packs < PacksOfWarp) Launch<TPack, FourLanes>(packs);
            else Launch<TPack, WarpLanes>(packs);
        }

        void Launch<TPack, TLanes>(int packs)
            where TPack : unmanaged, IPack<T, TPack>
            where TLanes : struct, ILanes =>
            device.Launch(MessageKernels<T, TPack, TLanes>.TangentByEdges,
                device.Cover((byFilters.Length / (3 * features) + 1) / 2 * TLanes.Count),
                KernelArgument.Of(edges.Senders), KernelArgument.Of(edges.Receivers), Packs<TPack>(values.Context),
                Packs<TPack>(values.Vectors),
                KernelArgument.Of(values.Directions), KernelArgument.Of(values.Radial), Packs<TPack>(filter),
                Packs<TPack>(tangent.Context), Packs<TPack>(tangent.Vectors), KernelArgument.Of(tangent.Directions),
                KernelArgument.Of(tangent.Radial),
                Packs<TPack>(gradient.Scalars), Packs<TPack>(gradient.Vectors), packs, from,
                Packs<TPack>(byFilters), Packs<TPack>(byFiltersTangent), KernelArgument.Of(byDirections));
    }

    private static KernelArgument Packs<TPack>(DeviceArray<T> array)
        where TPack : unmanaged => KernelArgument.Of(array.As<TPack>());

    private unsafe LaunchShape Cover<TPack>(long values)
        where TPack : unmanaged => device.Cover(values * sizeof(T) / sizeof(TPack));

    /// <summary>Whether rows are whole packs of four at addresses that such packs may have.</summary>
    private bool Fours(params ReadOnlySpan<DeviceArray<T>> others)
    {
        bool aligned = features % 4 == 0 && values.Context.IsAligned && values.Vectors.IsAligned && filter.IsAligned;
        foreach (DeviceArray<T> other in others) aligned &= other.IsAligned;
        return aligned;
    }
}

/// <summary>The message kernels by their type parameters: number type, values a thread owns, lanes an edge.</summary>
internal sealed class MessageKernels : IKernelFamily
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
        KernelMethod[] kernels =
        [
            MessageKernels<T, TPack>.Forward, MessageKernels<T, TPack>.BySenders, MessageKernels<T, TPack>.TangentByReceivers,
            MessageKernels<T, TPack>.TangentBySenders, .. Edges<OneLane>(), .. Edges<FourLanes>(), .. Edges<WarpLanes>(),
        ];
        return kernels.Select(kernel => new KernelVariant(kernel, VectorLoads: four, VectorStores: four, Float64: wide));

        static KernelMethod[] Edges<TLanes>()
            where TLanes : struct, ILanes => [MessageKernels<T, TPack, TLanes>.ByEdges, MessageKernels<T, TPack, TLanes>.TangentByEdges];
    }
}

/// <summary>Those whose threads need no neighbours.</summary>
internal static class MessageKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod Forward = KernelMethod.Of(MessageForward.Run<T, TPack>);

    public static readonly KernelMethod BySenders = KernelMethod.Of(MessageBySenders.Run<T, TPack>);

    public static readonly KernelMethod TangentByReceivers = KernelMethod.Of(MessageTangentByReceivers.Run<T, TPack>);

    public static readonly KernelMethod TangentBySenders = KernelMethod.Of(MessageTangentBySenders.Run<T, TPack>);
}

/// <summary>Those that sum over features.</summary>
internal static class MessageKernels<T, TPack, TLanes>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
    where TLanes : struct, ILanes
{
    public static readonly KernelMethod ByEdges = KernelMethod.Of(MessageByEdges.Run<T, TPack, TLanes>);

    public static readonly KernelMethod TangentByEdges = KernelMethod.Of(MessageTangentByEdges.Run<T, TPack, TLanes>);
}
