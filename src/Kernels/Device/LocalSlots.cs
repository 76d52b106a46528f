using System.Text;
using System.Text.RegularExpressions;

namespace ChemScale.Kernels.Device;

/// <summary>
/// The compiler hands operands of inline PTX through local memory, a slot each, which the driver's own compiler may or may not see
/// through. A slot that is only ever stored and loaded whole, at an address that goes nowhere else, is a register: this makes it one.
/// </summary>
internal static partial class LocalSlots
{
    public static string InRegisters(string text)
    {
        if (!Slot().IsMatch(text)) return text;
        var result = new StringBuilder(text.Length);
        int done = 0;
        // Names of registers are those of a function.
        foreach (Match function in Function().Matches(text))
        {
            result.Append(text, done, function.Index - done).Append(Body(function.Value));
            done = function.Index + function.Length;
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    private static string Body(string body)
    {
        string[] lines = body.Split('\n');
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
        var addresses = new Dictionary<string, string>(StringComparer.Ordinal);
        HashSet<string> kept = [];
        foreach (string line in lines)
        {
            if (Slot().Match(line) is { Success: true } slot) sizes[slot.Groups[1].Value] = int.Parse(slot.Groups[2].ValueSpan);
            // An address register is one slot's alone, or both stay where they are.
            else if (Address().Match(line) is { Success: true } taken && !addresses.TryAdd(taken.Groups[1].Value, taken.Groups[2].Value))
                kept.UnionWith([taken.Groups[2].Value, addresses[taken.Groups[1].Value]]);
        }
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in lines)
        {
            Match access = Access().Match(line);
            if (access.Success && addresses.TryGetValue(Register(access), out string? at) && sizes.TryGetValue(at, out int size))
            {
                string type = access.Groups["type"].Value;
                if (int.Parse(type.AsSpan(1)) != 8 * size || (types.TryGetValue(at, out string? known) && known != type)) kept.Add(at);
                types[at] = type;
                // The value is a register of its own: an address that is stored goes elsewhere.
                if (addresses.TryGetValue(access.Groups["value"].Value, out string? stored)) kept.Add(stored);
                continue;
            }
            if (Slot().IsMatch(line) || Address().IsMatch(line)) continue;
            foreach (Match word in Word().Matches(line))
            {
                if (addresses.TryGetValue(word.Value, out string? escaped)) kept.Add(escaped);
                if (sizes.ContainsKey(word.Value)) kept.Add(word.Value);
            }
        }
        return string.Join('\n', lines.Select(Rewritten).OfType<string>());

        string? Rewritten(string line)
        {
            if (Slot().Match(line) is { Success: true } slot && Moves(slot.Groups[1].Value))
                return $"\t.reg .{types[slot.Groups[1].Value]}\t%{slot.Groups[1].Value};";
            if (Address().Match(line) is { Success: true } taken && Moves(taken.Groups[2].Value)) return null;
            if (Access().Match(line) is not { Success: true } access || !addresses.TryGetValue(Register(access), out string? at) || !Moves(at))
                return line;
            string value = access.Groups["value"].Value;
            (string to, string from) = access.Groups["load"].Success ? (value, $"%{at}") : ($"%{at}", value);
            return $"{access.Groups["indent"].Value}mov.{types[at]}\t{to}, {from};";
        }

        bool Moves(string slot) => types.ContainsKey(slot) && !kept.Contains(slot);

        static string Register(Match access) => access.Groups["address"].Value;
    }

    [GeneratedRegex(@"^\{\n.*?^\}", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Function();

    [GeneratedRegex(@"^\s*\.local\s+\.align\s+\d+\s+\.b8\s+(\w+)\[(\d+)\];", RegexOptions.Multiline)]
    private static partial Regex Slot();

    [GeneratedRegex(@"^\s*mov\.[bu]64\s+(%\w+),\s*(__local\w+);")]
    private static partial Regex Address();

    [GeneratedRegex(@"^(?<indent>\s*(?:@!?%\w+\s+)?)(?:(?<load>ld)\.local\.(?<type>[bfsu]\d+)\s+(?<value>%\w+),\s*\[(?<address>%\w+)\]|st\.local\.(?<type>[bfsu]\d+)\s+\[(?<address>%\w+)\],\s*(?<value>[%\w.-]+));")]
    private static partial Regex Access();

    [GeneratedRegex(@"[%\w]+")]
    private static partial Regex Word();
}
