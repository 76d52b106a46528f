using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace ChemScale.Kernels.Device;

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
