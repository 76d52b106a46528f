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
