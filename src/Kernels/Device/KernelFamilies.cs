using System.Reflection;

namespace ChemScale.Kernels.Device;

/// <summary>Every kernel family of this assembly.</summary>
public static class KernelFamilies
{
    /// <summary>Family names without their ending, sorted, each with all its variants.</summary>
    public static IEnumerable<(string Family, IReadOnlyList<KernelVariant> Variants)> All() =>
        from type in typeof(IKernelFamily).Assembly.GetTypes()
        where type.IsClass && type.IsAssignableTo(typeof(IKernelFamily))
        orderby type.Name
        let property = type.GetProperty(nameof(IKernelFamily.Variants), BindingFlags.Public | BindingFlags.Static)!
        select (type.Name.Replace("Kernels", "", StringComparison.Ordinal), (IReadOnlyList<KernelVariant>)[.. (IEnumerable<KernelVariant>)property.GetValue(null)!]);
}
