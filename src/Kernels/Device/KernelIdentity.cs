using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;
using System.Security.Cryptography;
using System.Text;

namespace ChemScale.Kernels.Device;

/// <summary>
/// What a kernel's compiled form depends on: its instructions, those of all that it calls and of its type arguments, and the compiler. Another build of
/// the same code has the same identity; tokens, which builds number anew, are taken by the names that they stand for.
/// </summary>
internal static class KernelIdentity
{
    private static readonly OpCode[] Short = new OpCode[256], Long = new OpCode[256];
    private static readonly ConcurrentDictionary<MethodBase, (string Text, MemberInfo[] Named)> Known = new();

    static KernelIdentity()
    {
        foreach (FieldInfo field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var code = (OpCode)field.GetValue(null)!;
            (code.Size == 1 ? Short : Long)[code.Value & 0xFF] = code;
        }
    }

    /// <returns>32 hexadecimal digits.</returns>
    public static string Of(MethodInfo kernel)
    {
        var pieces = new SortedSet<string>(StringComparer.Ordinal) { $"{kernel.DeclaringType}::{kernel}", Build(typeof(ILGPU.Context)), Build(typeof(object)) };
        HashSet<MemberInfo> seen = [];
        var waiting = new Stack<MemberInfo>([kernel]);
        Assembly[] ours = [typeof(KernelIdentity).Assembly, kernel.Module.Assembly];
        while (waiting.TryPop(out MemberInfo? member))
        {
            if (!seen.Add(member)) continue;
            if (member is Type type)
            {
                foreach (Type argument in type.GetGenericArguments()) waiting.Push(argument);
                if (type.HasElementType) waiting.Push(type.GetElementType()!);
                if (!ours.Contains(type.Assembly) || type.IsGenericParameter) continue;
                FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);
                pieces.Add($"{type}: {string.Join(", ", fields.Select(f => $"{f.FieldType} {f.Name}"))}");
                foreach (FieldInfo field in fields) waiting.Push(field.FieldType);
                // Of a type argument any method may be called by way of an interface.
                foreach (MethodBase method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
                    if (type.IsValueType || type.IsInterface) waiting.Push(method);
            }
            else if (member is MethodBase method)
            {
                if (!ours.Contains(method.Module.Assembly) || method.ContainsGenericParameters) continue;
                (string text, MemberInfo[] named) = Known.GetOrAdd(method, static m => Read(m));
                pieces.Add(text);
                foreach (MemberInfo other in named) waiting.Push(other);
            }
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', pieces))))[..32];

        static string Build(Type type) => type.Module.ModuleVersionId.ToString();
    }

    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>A method's instructions as text, and what they name.</summary>
    private static (string Text, MemberInfo[] Named) Read(MethodBase method)
    {
        Type[] ofType = method.DeclaringType!.GetGenericArguments(), ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : [];
        List<MemberInfo> named = [method.DeclaringType, .. ofMethod, .. method.GetParameters().Select(p => p.ParameterType)];
        var text = new StringBuilder($"{method.DeclaringType}::{method} {string.Join(' ', ofMethod.Select(t => t.ToString()))}");
        if (method.IsDefined(typeof(RoundEachOperationAttribute))) text.Append(" rounded");
        if (method.GetMethodBody() is not { } body) return (text.ToString(), [.. named]);
        foreach (LocalVariableInfo local in body.LocalVariables)
        {
            text.Append($" [{local.LocalType}]");
            named.Add(local.LocalType);
        }
        byte[] il = body.GetILAsByteArray()!;
        for (int at = 0; at < il.Length;)
        {
            OpCode code = il[at] == 0xFE ? Long[il[at + 1]] : Short[il[at]];
            at += code.Size;
            text.Append(' ').Append(code.Name);
            int size = code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                MemberInfo member = method.Module.ResolveMember(BitConverter.ToInt32(il, at), ofType, ofMethod)!;
                text.Append(' ').Append(member.DeclaringType).Append("::").Append(member);
                if (member is MethodInfo { IsGenericMethod: true } generic) text.Append('<').AppendJoin(',', generic.GetGenericArguments().Select(t => t.ToString())).Append('>');
                named.Add(member is FieldInfo field ? field.FieldType : member);
                if (member.DeclaringType is { } declaring && declaring != method.DeclaringType) named.Add(declaring);
            }
            else if (code.OperandType == OperandType.InlineString)
            {
                text.Append(' ').Append(method.Module.ResolveString(BitConverter.ToInt32(il, at)));
            }
            else if (code.OperandType != OperandType.InlineSig)
            {
                text.Append(' ').Append(Convert.ToHexString(il, at, size));
            }
            at += size;
        }
        return (text.ToString(), [.. named]);
    }
}
