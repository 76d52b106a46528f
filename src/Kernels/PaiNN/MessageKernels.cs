using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.PaiNN;

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
