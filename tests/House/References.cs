using System.Reflection;
using System.Reflection.Emit;

namespace ChemScale.Tests.House;

/// <summary>What a type's declaration and code name: every type of bases, fields, signatures, attributes and method bodies, or every method called.</summary>
internal static class References
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    public static HashSet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        Add(found, type.BaseType);
        foreach (Type i in type.GetInterfaces()) Add(found, i);
        foreach (FieldInfo field in type.GetFields(Declared)) Add(found, field.FieldType);
        foreach (PropertyInfo property in type.GetProperties(Declared)) Add(found, property.PropertyType);
        foreach (MethodBase method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
        {
            foreach (ParameterInfo parameter in method.GetParameters()) Add(found, parameter.ParameterType);
            if (method is MethodInfo { ReturnType: var returned }) Add(found, returned);
            if (method.GetMethodBody() is { } body) AddBody(found, type, method, body);
        }
        return found;
    }

    /// <summary>Every method and constructor that the code names, called or taken as a delegate, with the method that names it.</summary>
    public static IEnumerable<(MethodBase In, MethodBase Called)> Methods(Type type) =>
        from method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared))
        where method.GetMethodBody() is not null
        from called in Members(type, method, method.GetMethodBody()!).OfType<MethodBase>()
        select (method, called);

    private static void AddBody(HashSet<Type> found, Type type, MethodBase method, MethodBody body)
    {
        foreach (LocalVariableInfo local in body.LocalVariables) Add(found, local.LocalType);
        foreach (MemberInfo member in Members(type, method, body))
        {
            Add(found, member as Type ?? member.DeclaringType);
            if (member is MethodInfo { IsGenericMethod: true } generic)
                foreach (Type argument in generic.GetGenericArguments()) Add(found, argument);
        }
    }

    private static IEnumerable<MemberInfo> Members(Type type, MethodBase method, MethodBody body)
    {
        byte[] il = body.GetILAsByteArray()!;
        Type[]? typeArguments = type.IsGenericType ? type.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < il.Length;)
        {
            OpCode code = il[at] == 0xFE ? OpCodesByValue[(short)(0xFE00 | il[at + 1])] : OpCodesByValue[il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType
                && type.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments) is { } member)
                yield return member;
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
        }
    }

    private static void Add(HashSet<Type> found, Type? type)
    {
        if (type is null || type.IsGenericParameter) return;
        if (type.HasElementType)
        {
            Add(found, type.GetElementType());
            return;
        }
        if (!found.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type)) return;
        foreach (Type argument in type.GenericTypeArguments) Add(found, argument);
    }
}

/// <summary>Circles in a graph of what names what.</summary>
internal static class Circles
{
    /// <summary>Groups of two and more of which each reaches each other (Tarjan 1972), in order, joined by spaces.</summary>
    public static IReadOnlyList<string> In(IReadOnlyDictionary<string, HashSet<string>> arrows)
    {
        var index = new Dictionary<string, int>();
        var low = new Dictionary<string, int>();
        var open = new Stack<string>();
        var circles = new List<string>();
        foreach (string node in arrows.Keys)
            if (!index.ContainsKey(node)) Visit(node);
        circles.Sort(StringComparer.Ordinal);
        return circles;

        void Visit(string node)
        {
            index[node] = low[node] = index.Count;
            open.Push(node);
            foreach (string next in arrows.TryGetValue(node, out HashSet<string>? named) ? named : [])
            {
                if (!index.ContainsKey(next)) Visit(next);
                if (open.Contains(next)) low[node] = Math.Min(low[node], low[next]);
            }
            if (low[node] != index[node]) return;
            var circle = new List<string>();
            do circle.Add(open.Pop());
            while (circle[^1] != node);
            if (circle.Count > 1) circles.Add(string.Join(' ', circle.Order(StringComparer.Ordinal)));
        }
    }
}
