using System.Text.RegularExpressions;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>One instruction as it is written: <c>@guard opcode operands;</c></summary>
/// <param name="Number">Line of the text, from 1.</param>
/// <param name="Text">The whole line.</param>
/// <param name="Guard">Predicate register; null: none.</param>
/// <param name="Negated">Runs where the guard is false.</param>
/// <param name="Opcode">With its modifiers.</param>
/// <param name="Operands">Registers, literals, labels, <c>[addresses]</c> and <c>{groups}</c>.</param>
internal sealed record PtxLine(int Number, string Text, string? Guard, bool Negated, string Opcode, string[] Operands)
{
    /// <summary>Members of a group, or the operand itself.</summary>
    public static string[] Members(string operand) =>
        [.. operand.Trim('{', '}', ' ', '\t').Split(',').Select(member => member.Trim())];

    /// <summary>Registers that it writes.</summary>
    public IEnumerable<string> Written => Writes ? Members(Operands[0]).Where(IsRegister) : [];

    /// <summary>Registers that it reads, its guard among them.</summary>
    public IEnumerable<string> Read =>
        (Writes ? Operands.Skip(1) : Operands).SelectMany(o => Members(o.Trim('[', ']').Split('+')[0])).Append(Guard ?? "").Where(IsRegister);

    public KernelException Fault(string kernel, string what) =>
        new(KernelFault.LaunchFailed, $"kernel {kernel}, PTX line {Number}: {Text}: {what}");

    private bool Writes => Operands.Length > 0 && Opcode is not ("bra" or "bra.uni" or "bar.sync") && !Opcode.StartsWith("st.", StringComparison.Ordinal);

    private static bool IsRegister(string operand) => operand.StartsWith('%');
}

/// <summary>A module's one entry point, taken apart: its parameters, the widths of its registers, its instructions and labels.</summary>
internal sealed partial class PtxText
{
    private readonly Dictionary<string, int> widths = new(StringComparer.Ordinal);
    private readonly string kernel;

    /// <exception cref="KernelException">It declares what is not known here.</exception>
    public PtxText(string kernel, string text)
    {
        this.kernel = kernel;
        string[] lines = text.Split('\n');
        int at = Array.FindIndex(lines, line => line.Contains(".entry ", StringComparison.Ordinal));
        if (at < 0 || lines.Any(line => line.Contains(".func", StringComparison.Ordinal))) throw Fault("expected one entry point and no function");
        for (; lines[at].Trim() != "{"; at++)
            if (Parameter().Match(lines[at]) is { Success: true } parameter) Parameters.Add(parameter.Groups[1].Value);
        for (at++; lines[at].Trim() != "}"; at++) Read(lines[at].Trim(), at + 1);
    }

    public string Name => kernel;

    public List<string> Parameters { get; } = [];

    public List<PtxLine> Lines { get; } = [];

    /// <summary>Index among <see cref="Lines"/> that a label stands before.</summary>
    public Dictionary<string, int> Labels { get; } = new(StringComparer.Ordinal);

    /// <summary>Bytes of a lane's register; 1: a predicate.</summary>
    /// <exception cref="KernelException">It is not declared.</exception>
    public int Width(string register) =>
        widths.TryGetValue(register, out int one) ? one
        : widths.TryGetValue(register.TrimEnd(Digits), out int family) ? family
        : register is "%tid.x" or "%ntid.x" or "%ctaid.x" or "%nctaid.x" or "%dynamic_smem_size" ? 4
        : throw Fault($"register {register} is not declared");

    /// <summary>Index of the line that a branch goes to.</summary>
    /// <exception cref="KernelException">There is no such label.</exception>
    public int Target(PtxLine branch) => Labels.TryGetValue(branch.Operands[0], out int target) ? target : throw branch.Fault(kernel, "no such label");

    private static readonly char[] Digits = [.. "0123456789"];

    private void Read(string line, int number)
    {
        if (line.Length == 0 || line.StartsWith("//", StringComparison.Ordinal)) return;
        if (Register().Match(line) is { Success: true } register)
        {
            widths[register.Groups[2].Value] = register.Groups[1].Value switch
            {
                "pred" => 1,
                "b32" or "f32" or "s32" or "u32" => 4,
                "b64" or "f64" or "s64" or "u64" => 8,
                var type => throw Fault($"line {number}: registers of type {type}"),
            };
        }
        else if (line.EndsWith(':'))
        {
            Labels[line[..^1]] = Lines.Count;
        }
        else
        {
            Match match = Instruction().Match(line);
            if (!match.Success) throw Fault($"line {number}: {line}");
            Lines.Add(new PtxLine(number, line, match.Groups["guard"] is { Success: true } guard ? guard.Value : null, match.Groups["not"].Length > 0,
                match.Groups["opcode"].Value, Operands(match.Groups["operands"].Value)));
        }
    }

    private static string[] Operands(string text)
    {
        var operands = new List<string>();
        int depth = 0, start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] is '{' or '[') depth++;
            else if (i < text.Length && text[i] is '}' or ']') depth--;
            else if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                if (text[start..i].Trim() is { Length: > 0 } operand) operands.Add(operand);
                start = i + 1;
            }
        }
        return [.. operands];
    }

    private KernelException Fault(string what) => new(KernelFault.BadKernel, $"the PTX of kernel {kernel} cannot be read: {what}");

    [GeneratedRegex(@"^\s*\.param\s+(?:\.align\s+\d+\s+)?\.\w+\s+(\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^\.reg\s+\.(\w+)\s+(%\w+?)(?:<\d+>)?;$")]
    private static partial Regex Register();

    [GeneratedRegex(@"^(?:@(?<not>!?)(?<guard>%\w+)\s+)?(?<opcode>[a-z][\w.]*)(?:\s+(?<operands>.*))?;$")]
    private static partial Regex Instruction();
}
