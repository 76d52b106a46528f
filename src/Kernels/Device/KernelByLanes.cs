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

    public IEnumerable<KernelVariant> Variants(bool float64) => [new(One, Float64: float64), new(Warp, Float64: float64)];
}
