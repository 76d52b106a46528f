using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using ChemScale.Kernels.Maths;

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

/// <summary>
/// A kernel: a static, explicitly grouped method, its type parameters filled in. Right for any group size: loops stride over the grid,
/// and reductions go through a type parameter. Make one per method and keep it: devices look up what they loaded by it.
/// </summary>
public sealed class KernelMethod
{
    private readonly Lazy<string> identity;
    private readonly ParameterInfo[] parameters;

    private KernelMethod(MethodInfo method)
    {
        Method = method;
        parameters = method.GetParameters();
        identity = new Lazy<string>(FindIdentity);
    }

    public MethodInfo Method { get; }

    /// <summary>Declaring type, method, and type arguments, as messages show it.</summary>
    public string Name
    {
        get
        {
            string arguments = Method.IsGenericMethod ? $"<{string.Join(", ", Method.GetGenericArguments().Select(Short))}>" : "";
            return $"{Method.DeclaringType!.Name}.{Method.Name}{arguments}";
        }
    }

    /// <summary>Hash of the code: another build of any assembly that it draws on gives another one.</summary>
    public string Identity => identity.Value;

    /// <param name="kernel">The method, type arguments given: <c>KernelMethod.Of(RadialForward.Run&lt;float, F32&gt;)</c>.</param>
    public static KernelMethod Of(Delegate kernel) => Of(kernel.Method);

    /// <param name="kernels">Type that declares it.</param>
    /// <param name="name">Of a generic method.</param>
    /// <param name="typeArguments">Its type arguments, chosen at run time.</param>
    public static KernelMethod Of(Type kernels, string name, params Type[] typeArguments)
    {
        MethodInfo method = kernels.GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        return Of(method.MakeGenericMethod(typeArguments));
    }

    public override string ToString() => Name;

    /// <exception cref="KernelException">Too few or too many, or one of another type than its parameter: a device would not notice.</exception>
    internal void Check(ReadOnlySpan<KernelArgument> arguments)
    {
        if (arguments.Length != parameters.Length)
            throw new KernelException(KernelFault.BadArgument, $"kernel {Name} takes {parameters.Length} arguments, not {arguments.Length}");
        for (int i = 0; i < parameters.Length; i++)
        {
            if (arguments[i].Type == parameters[i].ParameterType) continue;
            throw new KernelException(KernelFault.BadArgument,
                $"kernel {Name} takes {Short(parameters[i].ParameterType)} for {parameters[i].Name}, not {Short(arguments[i].Type)}");
        }
    }

    private static KernelMethod Of(MethodInfo method) =>
        method.IsStatic && !method.ContainsGenericParameters
            ? new KernelMethod(method)
            : throw new KernelException(KernelFault.BadKernel, $"{method.Name} is not a static method with its type arguments filled in");

    private static string Short(Type type) =>
        type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Short))}>"
            : type.Name;

    private string FindIdentity()
    {
        Type[] arguments = [.. Method.DeclaringType!.GetGenericArguments(), .. Method.GetGenericArguments()];
        List<string> parts = [Method.DeclaringType!.FullName!, Method.ToString()!, Build(typeof(ILGPU.Context)), Build(typeof(object))];
        parts.AddRange(arguments.Select(a => a.AssemblyQualifiedName!));
        parts.AddRange(arguments.Append(Method.DeclaringType).Select(Build));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..32];

        static string Build(Type type) => type.Module.ModuleVersionId.ToString();
    }
}

/// <summary>
/// Of a kernel whose products and sums must be rounded one by one, as the CPU does: elsewhere a device's driver fuses them as it likes, and
/// not alike in two kernels with the same lines.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RoundEachOperationAttribute : Attribute;

/// <summary>
/// Of a type argument that takes the place of another on the CPU alone, so that a kernel's own lines can run there. Families list the kernel
/// with the real one.
/// </summary>
/// <param name="real">What devices get.</param>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class StandsForAttribute(Type real) : Attribute
{
    public Type Real { get; } = real;
}
