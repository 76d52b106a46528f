using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace ChemScale.Kernels.Device;

/// <summary>Kernel methods to PTX, on any machine: neither a driver nor a device is needed.</summary>
public static partial class KernelCompiler
{
    /// <summary>Part of the cache key: raise it when the text made from the same kernel changes.</summary>
    internal const int Revision = 2;

    private static readonly Lock Gate = new();
    private static Context? context;

    /// <param name="kernel">What to compile.</param>
    /// <param name="architecture">sm_80, sm_90, sm_90a and their like.</param>
    /// <exception cref="KernelException">The kernel uses what cannot be translated.</exception>
    public static PtxModule Compile(KernelMethod kernel, string architecture)
    {
        string version = PtxVersion(architecture);
        lock (Gate)
        {
            context ??= Context.Create(builder =>
                builder.EnableAlgorithms().Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive)
                    .PTXBackend(PTXBackendMode.Enhanced));
            try
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
                return new PtxModule(compiled.Name, architecture, LocalSlots.InRegisters(text));
            }
            catch (Exception e)
            {
                // A failed compile leaves the context unusable.
                context.Dispose();
                context = null;
                string reason = string.Join(": ", Causes(e).Select(c => c.Message).Distinct());
                throw new KernelException(KernelFault.BadKernel, $"kernel {kernel.Name} does not compile for {architecture}: {reason}", e);
            }
        }
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

    [GeneratedRegex(@"(\.extern \.shared \.align )\d+( \.b8 __dyn_shared_alloca)")]
    private static partial Regex SharedAlignment();
}
