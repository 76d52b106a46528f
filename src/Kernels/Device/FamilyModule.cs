using System.Text;
using System.Text.RegularExpressions;

namespace ChemScale.Kernels.Device;

/// <summary>Kernels of a family as one module: the driver compiles and keeps them together.</summary>
/// <param name="Module">Text, and the first kernel's entry point.</param>
/// <param name="EntryPoints">Of each kernel, in order.</param>
internal sealed partial record FamilyModule(PtxModule Module, IReadOnlyList<string> EntryPoints)
{
    /// <param name="modules">Of one architecture; at least one.</param>
    /// <exception cref="KernelException">One declares something of its own besides its entry point.</exception>
    public static FamilyModule Of(IReadOnlyList<PtxModule> modules)
    {
        var text = new StringBuilder();
        var entries = new List<string>();
        HashSet<string> heads = new(StringComparer.Ordinal);
        for (int i = 0; i < modules.Count; i++)
        {
            (string own, string name) = (modules[i].Text, modules[i].EntryPoint);
            Match entry = Entry().Match(own);
            if (!entry.Success || entry.Groups[2].Value != name) throw new KernelException(KernelFault.BadKernel, $"no entry point {name} in its module");
            // Version, target, size of an address, and the shared memory of a launch: once for all.
            foreach (string line in own[..entry.Index].Split('\n'))
            {
                if (line.StartsWith("//", StringComparison.Ordinal) || line.Trim().Length == 0 || !heads.Add(line)) continue;
                if (i > 0 && !line.StartsWith(".extern .shared ", StringComparison.Ordinal))
                    throw new KernelException(KernelFault.BadKernel, $"{name}: {line} is not that of its family");
                text.Append(line).Append('\n');
            }
            // Two kernels of one method have the same name.
            entries.Add($"{name}_{i}");
            int rest = entry.Index + entry.Length;
            text.Append(entry.Groups[1].Value).Append(entries[i]).Append(own, rest, own.Length - rest).Append('\n');
        }
        return new FamilyModule(new PtxModule(entries[0], modules[0].Architecture, text.ToString()), entries);
    }

    [GeneratedRegex(@"^(\.visible \.entry )(\w+)", RegexOptions.Multiline)]
    private static partial Regex Entry();
}
