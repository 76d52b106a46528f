using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace ChemScale.Kernels.Device;

/// <summary>Kernel methods to PTX, on any machine, several at a time: neither a driver nor a device is needed.</summary>
public static partial class KernelCompiler
{
    /// <summary>Part of the cache key: raise it when the text made from the same kernel changes.</summary>
    internal const int Revision = 4;

    // A compiler serves one kernel at a time; what has failed is of no more use.
    private static readonly ConcurrentBag<Context> Idle = [];

    /// <param name="kernel">What to compile.</param>
    /// <param name="architecture">sm_80, sm_90, sm_90a and their like.</param>
    /// <exception cref="KernelException">The kernel uses what cannot be translated.</exception>
    public static PtxModule Compile(KernelMethod kernel, string architecture)
    {
        string version = PtxVersion(architecture);
        Context context = Idle.TryTake(out Context? idle) ? idle : Context.Create(builder =>
            builder.EnableAlgorithms().Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive).PTXBackend(PTXBackendMode.Enhanced));
        try
        {
            PtxModule module = Compile(context, kernel, architecture, version);
            Idle.Add(context);
            return module;
        }
        catch (Exception e)
        {
            // A failed compile leaves the context unusable.
            context.Dispose();
            string reason = string.Join(": ", Causes(e).Select(c => c.Message).Distinct());
            throw new KernelException(KernelFault.BadKernel, $"kernel {kernel.Name} does not compile for {architecture}: {reason}", e);
        }
    }

    private static PtxModule Compile(Context context, KernelMethod kernel, string architecture, string version)
    {
        // The compiler knows no sm_90a, and writes its own target whatever it is asked for.
        CudaArchitecture known = Number(architecture) < 90 ? CudaArchitecture.SM_80 : CudaArchitecture.SM_90;
        using var backend = new PTXBackend(context, known, CudaInstructionSet.ISA_80, null!);
        EntryPointDescription entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method);
        var compiled = (PTXCompiledKernel)backend.Compile(entry, default);
        string text = Target().Replace(compiled.PTXAssembly, ".target " + architecture, 1);
        text = Version().Replace(text, ".version " + version, 1);
        // Vector accesses and asynchronous copies want more than the element's own alignment.
        text = SharedAlignment().Replace(text, "${1}128${2}");
        // Without a rounding the driver may fuse a product with a sum.
        if (kernel.Method.IsDefined(typeof(RoundEachOperationAttribute))) text = Fusible().Replace(text, "$1.rn$2");
        // The compiler's analysis does not see that lanes part at a branch further out. The driver's own decides as well, and is right.
        text = GuardedUniform().Replace(text, "$1");
        if (PredicateFaults.Find(text) is { } fault) throw new InvalidOperationException(fault);
        // Without it registers are given out as for groups of 1024 threads, which nobody launches.
        text = Entry().Replace(LocalSlots.InRegisters(text), $"$1\n.maxntid {KernelDevice.LargestGroup}, 1, 1$2");
        return new PtxModule(compiled.Name, architecture, text);
    }

    /// <summary>The oldest PTX version that knows an architecture, so that drivers as old as can be take it.</summary>
    internal static string PtxVersion(string architecture) => Number(architecture) switch
    {
        <= 80 => "7.0",
        <= 86 => "7.1",
        <= 87 => "7.4",
        <= 90 => architecture.EndsWith('a') ? "8.0" : "7.8",
        <= 101 => "8.6",
        <= 120 => "8.7",
        _ => "8.8",
    };

    /// <summary>80 of sm_80.</summary>
    internal static int Number(string architecture) =>
        Architecture().Match(architecture) is { Success: true } match
            ? int.Parse(match.Groups[1].ValueSpan)
            : throw new KernelException(KernelFault.BadArgument, $"architecture '{architecture}'; expected sm_80 or its like");

    private static IEnumerable<Exception> Causes(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException) yield return cause;
    }

    [GeneratedRegex(@"^sm_(\d+)[af]?$")]
    private static partial Regex Architecture();

    [GeneratedRegex(@"^\.target \w+", RegexOptions.Multiline)]
    private static partial Regex Target();

    [GeneratedRegex(@"^\.version [\d.]+", RegexOptions.Multiline)]
    private static partial Regex Version();

    [GeneratedRegex(@"\b(add|sub|mul)(\.f(?:32|64))\b")]
    private static partial Regex Fusible();

    [GeneratedRegex(@"(@!?%\w+\s+bra)\.uni\b")]
    private static partial Regex GuardedUniform();

    [GeneratedRegex(@"(\.entry [^{]*\))(\s*\{)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"(\.extern \.shared \.align )\d+( \.b8 __dyn_shared_alloca)")]
    private static partial Regex SharedAlignment();
}

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

/// <summary>
/// The compiler takes a choice between an integer and <c>c ? 1 : 0</c> for one between truth values: what was above 1 becomes 1. Seen in the text, where
/// a predicate that says "not zero" of an integer goes through a choice and comes out as 1 or 0.
/// </summary>
internal static partial class PredicateFaults
{
    /// <returns>What is wrong; null: nothing.</returns>
    public static string? Find(string text)
    {
        HashSet<string> truths = [.. NotZero().Matches(text).Select(m => m.Groups[1].Value)];
        HashSet<string> chosen = [.. Chosen().Matches(text).Where(m => truths.Contains(m.Groups[2].Value)).Select(m => m.Groups[1].Value)];
        return Number().Matches(text).Any(m => chosen.Contains(m.Groups[1].Value))
            ? "an integer becomes a truth value. HINT: no 'c ? 1 : 0' as the other side of a choice of integers"
            : null;
    }

    [GeneratedRegex(@"setp\.ne\.[su](?:32|64)\s+(%\w+),\s*%\w+,\s*0;")]
    private static partial Regex NotZero();

    [GeneratedRegex(@"mov\.pred\s+(%\w+),\s*(%\w+);")]
    private static partial Regex Chosen();

    [GeneratedRegex(@"selp\.b(?:32|64)\s+%\w+,\s*1,\s*0,\s*(%\w+);")]
    private static partial Regex Number();
}

/// <summary>The accelerators ILGPU can target on this machine; its CPU accelerator is always one.</summary>
public static class CompilerDevices
{
    public static IReadOnlyList<string> List()
    {
        using Context context = Context.Create(builder => builder.AllAccelerators());
        return [.. context.Devices.Select(device => $"{device.AcceleratorType}: {device.Name}")];
    }
}

/// <summary>A compiled kernel.</summary>
/// <param name="EntryPoint">Its name in the module.</param>
/// <param name="Architecture">sm_80 and its like.</param>
/// <param name="Text">PTX</param>
public sealed record PtxModule(string EntryPoint, string Architecture, string Text);
