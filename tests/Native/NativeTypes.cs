using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChemScale.Tests.Native;

/// <summary>What types are to native memory: addresses of it, owners that free it when they are collected, or neither.</summary>
internal static class NativeTypes
{
    // Ours whose memory no finalizer frees while anything may use it, and why.
    private static readonly Dictionary<string, string> Safe = new()
    {
        ["ChemScale.Engine.Operators.Differentiation.AutogradNode"] = "all nodes, and the callbacks in them, are held to the end of the process",
        ["ChemScale.Engine.Stores.MappedArray`1"] = "the pointer that it acquires counts as a user of the view's handle, which a finalizer leaves then",
    };

    private static readonly Dictionary<Type, bool> Freeing = [];

    /// <summary>Whether objects of a type have a finalizer, or hold one that has: nothing else frees memory behind a method's back.</summary>
    public static bool Frees(Type type)
    {
        lock (Freeing)
        {
            if (!Freeing.TryGetValue(type, out bool frees)) Freeing[type] = frees = Frees(type, []);
            return frees;
        }
    }

    private static bool Frees(Type type, HashSet<Type> seen)
    {
        if (type.HasElementType) return !type.IsPointer && Frees(type.GetElementType()!, seen);
        if (type == typeof(object)) return true;
        if (type.IsGenericParameter) return !type.GenericParameterAttributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        if (type.IsPrimitive || type.IsEnum || type == typeof(string) || type.IsSubclassOf(typeof(Delegate)) || !seen.Add(type)) return false;
        if (Safe.ContainsKey((type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName ?? "")) return false;
        if (type.Assembly.GetName().Name == "TorchSharp") return true;
        bool foreign = type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true;
        return (type.IsInterface && !foreign) || HasFinalizer(type) || type.GetGenericArguments().Any(t => Frees(t, seen)) || Fields(type).Any(f => Frees(f.FieldType, seen));
    }

    private static bool HasFinalizer(Type type) =>
        type.GetMethod("Finalize", BindingFlags.Instance | BindingFlags.NonPublic, []) is { } finalizer && finalizer.DeclaringType != typeof(object);

    // Of the system's own types only the type arguments tell what they hold of ours.
    private static IEnumerable<FieldInfo> Fields(Type type)
    {
        for (Type? t = type; t is not null && t.Namespace?.StartsWith("System", StringComparison.Ordinal) != true; t = t.BaseType)
            foreach (FieldInfo field in t.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)) yield return field;
    }

    public static bool IsClosure(Type type) => type.Name.Contains("DisplayClass", StringComparison.Ordinal) && type.IsDefined(typeof(CompilerGeneratedAttribute), false);

    public static bool IsNative(MethodBase called) => called.Attributes.HasFlag(MethodAttributes.PinvokeImpl);

    public static bool IsSequence(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>) && !type.GenericTypeArguments[0].IsValueType;

    /// <summary>Numbers and their like: no objects in them.</summary>
    public static bool IsPlain(Type type) => type.IsPrimitive || type.IsEnum || type.IsPointer || type == typeof(void) || type == typeof(decimal);

    public static bool HoldsNothing(Type type) => IsPlain(type) || (type.IsValueType && IsAddress(type));

    public static bool IsSpan(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(Span<>) || definition == typeof(ReadOnlySpan<>));

    public static bool IsAddress(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nint) || type == typeof(nuint) || type == typeof(GCHandle)) return true;
        if (type.IsByRef) return false;
        if (type.HasElementType) return IsAddress(type.GetElementType()!);
        if (type.IsGenericParameter || type.IsPrimitive || type.IsEnum) return false;
        if (type.IsGenericType)
        {
            if (IsSpan(type)) return type.GetGenericArguments()[0].IsValueType;
            return type.GetGenericArguments().Any(IsAddress);
        }
        return type.IsValueType && type.Namespace?.StartsWith("TorchSharp", StringComparison.Ordinal) == true
            && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Any(f => IsAddress(f.FieldType));
    }
}
