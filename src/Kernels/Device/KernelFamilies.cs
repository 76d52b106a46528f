using System.Reflection;

namespace ChemScale.Kernels.Device;

/// <summary>The families of this assembly: what the tests compile and inspect, and what doctor lists.</summary>
public static class KernelFamilies
{
    public static readonly IReadOnlyList<Type> Types =
        [.. typeof(IKernelFamily).Assembly.GetTypes().Where(t => t.IsClass && t.IsAssignableTo(typeof(IKernelFamily))).OrderBy(t => t.Name, StringComparer.Ordinal)];

    private static readonly Lazy<HashSet<MethodInfo>> Listed = new(() => [.. Types.SelectMany(Variants).Select(v => v.Kernel.Method)]);

    /// <summary>Family names without their ending, sorted, each with all its variants.</summary>
    public static IEnumerable<(string Family, IReadOnlyList<KernelVariant> Variants)> All() =>
        Types.Select(type => (type.Name.Replace("Kernels", "", StringComparison.Ordinal), (IReadOnlyList<KernelVariant>)[.. Variants(type)]));

    public static IEnumerable<KernelVariant> Variants(Type family) =>
        (IEnumerable<KernelVariant>)family.GetProperty(nameof(IKernelFamily.Variants), BindingFlags.Public | BindingFlags.Static)!
            .GetValue(null)!;

    /// <exception cref="KernelException">A kernel of this assembly that no family lists, and so nothing has inspected.</exception>
    internal static void Check(KernelMethod kernel)
    {
        if (kernel.Method.Module != typeof(KernelFamilies).Module || Listed.Value.Contains(OfDevices(kernel.Method))) return;
        throw new KernelException(KernelFault.BadKernel,
            $"no family lists kernel {kernel.Name}. HINT: add it to the {nameof(IKernelFamily.Variants)} of its {nameof(IKernelFamily)}");
    }

    private static MethodInfo OfDevices(MethodInfo kernel) => !kernel.IsGenericMethod ? kernel : kernel.GetGenericMethodDefinition()
        .MakeGenericMethod([.. kernel.GetGenericArguments().Select(type => type.GetCustomAttribute<StandsForAttribute>()?.Real ?? type)]);
}
