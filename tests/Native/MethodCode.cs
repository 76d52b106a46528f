using System.Reflection;
using System.Reflection.Emit;

namespace ChemScale.Tests.Native;

/// <summary>One instruction of a method.</summary>
/// <param name="At">Where it begins.</param>
/// <param name="Code">What it does.</param>
/// <param name="Number">Of an argument or a local; of an indirect call, how many values it takes, negative where it gives one.</param>
/// <param name="Targets">Where it may jump to.</param>
/// <param name="Member">What it names.</param>
/// <param name="Type">The member, where it is a type.</param>
/// <param name="Next">Where the next one begins.</param>
internal sealed record Step(int At, OpCode Code, long Number, int[] Targets, MemberInfo? Member, Type? Type, int Next)
{
    public int Index(string prefix) => Code.Name!.Length == prefix.Length + 1 && char.IsAsciiDigit(Code.Name[^1]) ? Code.Name[^1] - '0' : (int)Number;
}

/// <summary>The instructions of a method, and the ways out of its protected parts.</summary>
internal sealed class MethodCode
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    private readonly MethodBase method;
    private readonly SortedList<int, Step> steps = [];

    public MethodCode(MethodBase method, MethodBody body)
    {
        this.method = method;
        Body = body;
        Read();
    }

    public MethodBody Body { get; }

    public IEnumerable<Step> Steps => steps.Values;

    public Step this[int at] => steps[at];

    /// <summary>Where a jump out of protected parts goes on: the finally blocks on its way, innermost first, then its target.</summary>
    /// <param name="leave">The jump.</param>
    /// <param name="done">The block that it comes out of; null: it is at its start.</param>
    public int After(Step leave, ExceptionHandlingClause? done)
    {
        ExceptionHandlingClause[] passed = [.. Body.ExceptionHandlingClauses.Where(c => c.Flags == ExceptionHandlingClauseOptions.Finally && Leaves(c).Contains(leave))];
        int next = done is null ? 0 : Array.FindIndex(passed, c => c.HandlerOffset == done.HandlerOffset) + 1;
        return next < passed.Length ? passed[next].HandlerOffset : leave.Targets[0];
    }

    public IEnumerable<Step> Leaves(ExceptionHandlingClause clause) => steps.Values.Where(s => s.Code.Name!.StartsWith("leave", StringComparison.Ordinal)
        && s.At >= clause.TryOffset && s.At < clause.TryOffset + clause.TryLength
        && (s.Targets[0] < clause.TryOffset || s.Targets[0] >= clause.TryOffset + clause.TryLength));

    private void Read()
    {
        byte[] il = Body.GetILAsByteArray()!;
        Type[]? typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < il.Length;)
        {
            int start = at;
            OpCode code = il[at] == 0xFE ? Codes[(short)(0xFE00 | il[at + 1])] : Codes[il[at]];
            at += code.Size;
            long number = 0;
            int[] targets = [];
            MemberInfo? member = null;
            switch (code.OperandType)
            {
                case OperandType.InlineNone: break;
                case OperandType.ShortInlineBrTarget: targets = [at + 1 + (sbyte)il[at]]; at++; break;
                case OperandType.InlineBrTarget: targets = [at + 4 + BitConverter.ToInt32(il, at)]; at += 4; break;
                case OperandType.ShortInlineI or OperandType.ShortInlineVar: number = il[at++]; break;
                case OperandType.InlineVar: number = BitConverter.ToUInt16(il, at); at += 2; break;
                case OperandType.InlineI8 or OperandType.InlineR: at += 8; break;
                case OperandType.InlineSwitch:
                    int count = BitConverter.ToInt32(il, at), end = at + 4 + 4 * count;
                    targets = [.. Enumerable.Range(1, count).Select(k => end + BitConverter.ToInt32(il, at + 4 * k))];
                    at = end;
                    break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    member = method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments);
                    at += 4;
                    break;
                case OperandType.InlineSig:
                    (int taken, bool gives) = Signature(method.Module.ResolveSignature(BitConverter.ToInt32(il, at)));
                    number = gives ? -taken : taken;
                    at += 4;
                    break;
                default: at += 4; break;
            }
            steps.Add(start, new Step(start, code, number, targets, member, member as Type, at));
        }
    }

    /// <summary>Values that a call through a pointer takes, the pointer among them, and whether it gives one (ECMA-335, II.23.2.3).</summary>
    private static (int Taken, bool Gives) Signature(byte[] signature)
    {
        int at = 2, taken = signature[1] + ((signature[0] & 0x20) != 0 ? 1 : 0) + 1;
        while (signature[at] is 0x1F or 0x20) at += 1 + (signature[at + 1] switch { < 0x80 => 1, < 0xC0 => 2, _ => 4 });
        return (taken, signature[at] != 1);
    }
}
