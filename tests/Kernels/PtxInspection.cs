using System.Text.RegularExpressions;
using ChemScale.Kernels.Device;

namespace ChemScale.Tests.Kernels;

/// <summary>Reads the PTX of a kernel for what must not be there, and for what was declared and is not.</summary>
internal static partial class PtxInspection
{
    public static IReadOnlyList<string> Faults(PtxModule module, KernelVariant variant)
    {
        string text = module.Text;
        var faults = new List<string>();
        HashSet<string> external = [.. ExternalFunction().Matches(text).Select(m => m.Groups[1].Value)];
        HashSet<string> defined = [.. Function().Matches(text).Select(m => m.Groups[1].Value)];
        defined.ExceptWith(external);
        IEnumerable<string> called = Call().Matches(text).Select(m => m.Groups[1].Value);
        faults.AddRange(called.Concat(external).Except(defined).Select(name => $"calls {name}, which is not there"));
        if (!variant.Float64 && Float64().Match(text) is { Success: true } wide) faults.Add($"holds float64: {wide.Value.Trim()}");
        if (variant.VectorLoads && !VectorLoad().IsMatch(text)) faults.Add("declares vector loads and has none");
        if (variant.VectorStores && !VectorStore().IsMatch(text)) faults.Add("declares vector stores and has none");
        int local = Local().Matches(text).Sum(m => int.Parse(m.Groups[1].ValueSpan));
        if (local > variant.LocalBytes) faults.Add($"uses {local} bytes of local memory; {variant.LocalBytes} declared");
        if (!text.Contains($")\n.maxntid {KernelDevice.LargestGroup}, 1, 1\n{{", StringComparison.Ordinal)) faults.Add("does not say how large its groups are");
        if (UniformGuard().Match(text) is { Success: true } uniform) faults.Add($"says that lanes agree: {uniform.Value.Trim()}");
        return faults;
    }

    [GeneratedRegex(@"^.*@.*\bbra\.uni\b.*$", RegexOptions.Multiline)]
    private static partial Regex UniformGuard();

    [GeneratedRegex(@"\.extern\s+\.func\s+(?:\([^)]*\)\s*)?([\w$]+)")]
    private static partial Regex ExternalFunction();

    [GeneratedRegex(@"\.func\s+(?:\([^)]*\)\s*)?([\w$]+)")]
    private static partial Regex Function();

    [GeneratedRegex(@"^\s*(?:@!?%\w+\s+)?call(?:\.uni)?\s+(?:\([^)]*\)\s*,\s*)?([\w$]+)", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"^[^/\n]*\.f64.*$", RegexOptions.Multiline)]
    private static partial Regex Float64();

    // 16 bytes at once, or as much as an instruction moves of a wider element.
    [GeneratedRegex(@"ld\.global(?:\.nc)?\.(?:v4\.[bfsu]32|v2\.[bfsu]64)")]
    private static partial Regex VectorLoad();

    [GeneratedRegex(@"st\.global\.(?:v4\.[bfsu]32|v2\.[bfsu]64)")]
    private static partial Regex VectorStore();

    [GeneratedRegex(@"^\s*\.local\s+(?:\.align\s+\d+\s+)?\.b8\s+\w+\[(\d+)\]", RegexOptions.Multiline)]
    private static partial Regex Local();
}
