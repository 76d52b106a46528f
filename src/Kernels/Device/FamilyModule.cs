using System.Collections.Concurrent;
using System.Reflection;
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

/// <summary>
/// Which module a kernel is loaded with: its family's, where nothing has to be compiled for that, as after <c>doctor --warm</c>; else its own. Each module is
/// loaded once.
/// </summary>
/// <param name="cache">Of compiled kernels.</param>
/// <param name="architecture">sm_80 and its like</param>
/// <param name="load">Gives a device a module, by its name for messages, and says its handle.</param>
internal sealed class KernelModules(ModuleCache cache, string architecture, Func<PtxModule, string, nint> load)
{
    private readonly ConcurrentDictionary<MethodInfo, Lazy<(nint Module, string EntryPoint)>> kernels = new();
    private readonly ConcurrentDictionary<Type, Lazy<IReadOnlyDictionary<MethodInfo, (nint Module, string EntryPoint)>?>> families = new();

    /// <exception cref="KernelException">It does not compile, or the device does not take it.</exception>
    public (nint Module, string EntryPoint) Get(KernelMethod kernel)
    {
        try
        {
            return kernels.GetOrAdd(kernel.Method, _ => new(() => Find(kernel))).Value;
        }
        catch (KernelException)
        {
            // What has failed for want of memory may pass later.
            kernels.TryRemove(kernel.Method, out _);
            if (KernelFamilies.Of(kernel) is { } family) families.TryRemove(family, out _);
            throw;
        }
    }

    private (nint Module, string EntryPoint) Find(KernelMethod kernel)
    {
        if (KernelFamilies.Of(kernel) is { } family
            && families.GetOrAdd(family, t => new(() => Joined(t))).Value is { } joined && joined.TryGetValue(kernel.Method, out (nint, string) found)) return found;
        PtxModule own = cache.Get(kernel, architecture);
        return (load(own, kernel.Name), own.EntryPoint);
    }

    private IReadOnlyDictionary<MethodInfo, (nint Module, string EntryPoint)>? Joined(Type family)
    {
        KernelMethod[] members = [.. KernelFamilies.Variants(family).Select(v => v.Kernel)];
        var modules = new List<PtxModule>();
        foreach (KernelMethod member in members)
        {
            if (cache.Known(member, architecture) is not { } known) return null;
            modules.Add(known);
        }
        var joined = FamilyModule.Of(modules);
        nint module = load(joined.Module, family.Name);
        return members.Select((m, i) => (m.Method, (module, joined.EntryPoints[i]))).ToDictionary();
    }
}
