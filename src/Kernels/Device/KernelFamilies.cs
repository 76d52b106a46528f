using System.Reflection;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Device;

/// <summary>The families of this assembly: what the tests compile and inspect, and what doctor lists.</summary>
public static class KernelFamilies
{
    public static readonly IReadOnlyList<Type> Types =
        [.. typeof(IKernelFamily).Assembly.GetTypes().Where(t => t.IsClass && t.IsAssignableTo(typeof(IKernelFamily))).OrderBy(t => t.Name, StringComparer.Ordinal)];

    private static readonly Lazy<IReadOnlyDictionary<MethodInfo, Type>> Listed = new(() =>
        Types.SelectMany(t => Variants(t).Select(v => (v.Kernel.Method, t))).DistinctBy(k => k.Method).ToDictionary());

    /// <summary>Family names without their ending, sorted, each with all its variants.</summary>
    public static IEnumerable<(string Family, IReadOnlyList<KernelVariant> Variants)> All() =>
        Types.Select(type => (type.Name.Replace("Kernels", "", StringComparison.Ordinal), (IReadOnlyList<KernelVariant>)[.. Variants(type)]));

    public static IEnumerable<KernelVariant> Variants(Type family) =>
        (IEnumerable<KernelVariant>)family.GetProperty(nameof(IKernelFamily.Variants), BindingFlags.Public | BindingFlags.Static)!
            .GetValue(null)!;

    /// <summary>The family that lists a kernel; null: none does.</summary>
    internal static Type? Of(KernelMethod kernel) => Listed.Value.GetValueOrDefault(kernel.Method);

    /// <exception cref="KernelException">A kernel of this assembly that no family lists, and so nothing has inspected.</exception>
    internal static void Check(KernelMethod kernel)
    {
        if (kernel.Method.Module != typeof(KernelFamilies).Module || Listed.Value.ContainsKey(OfDevices(kernel.Method))) return;
        throw new KernelException(KernelFault.BadKernel,
            $"no family lists kernel {kernel.Name}. HINT: add it to the {nameof(IKernelFamily.Variants)} of its {nameof(IKernelFamily)}");
    }

    private static MethodInfo OfDevices(MethodInfo kernel) => !kernel.IsGenericMethod ? kernel : kernel.GetGenericMethodDefinition()
        .MakeGenericMethod([.. kernel.GetGenericArguments().Select(type => type.GetCustomAttribute<StandsForAttribute>()?.Real ?? type)]);
}

/// <summary>
/// An operation's kernels. The tests compile and inspect the variants of every type of this assembly that implements it, and
/// <see cref="CpuDevice.Warps"/> refuses kernels that none lists.
/// </summary>
public interface IKernelFamily
{
    /// <summary>Every instantiation that some launch may ask for.</summary>
    static abstract IEnumerable<KernelVariant> Variants { get; }
}

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

/// <summary>One instantiation of a kernel that can be launched, and what its compiled form must hold to.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="VectorLoads">Declares 16-byte loads from global memory.</param>
/// <param name="VectorStores">Declares 16-byte stores to global memory.</param>
/// <param name="LocalBytes">Local memory a thread may use.</param>
/// <param name="Float64">May hold float64 instructions.</param>
public sealed record KernelVariant(
    KernelMethod Kernel, bool VectorLoads = false, bool VectorStores = false, int LocalBytes = 0, bool Float64 = false)
{
    public override string ToString() => Kernel.Name;
}
