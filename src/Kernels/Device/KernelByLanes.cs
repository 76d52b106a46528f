using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Device;

/// <summary>A kernel whose items a whole warp shares, and the same for a device without warps.</summary>
internal sealed record KernelByLanes(KernelMethod One, KernelMethod Warp)
{
    /// <summary>Queues it with lanes enough for <paramref name="items"/>.</summary>
    public void Launch(KernelDevice device, long items, params ReadOnlySpan<KernelArgument> arguments)
    {
        bool warps = device.WarpSize > 1;
        device.Launch(warps ? Warp : One, device.Cover(items * (warps ? WarpLanes.Count : OneLane.Count)), arguments);
    }

    public IEnumerable<KernelVariant> Variants(bool vectorLoads = false, bool vectorStores = false, bool float64 = false) =>
        [new(One, vectorLoads, vectorStores, Float64: float64), new(Warp, vectorLoads, vectorStores, Float64: float64)];
}
