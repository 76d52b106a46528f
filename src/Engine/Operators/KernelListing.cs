using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ChemScale.Engine.Files;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Device;

namespace ChemScale.Engine.Operators;

/// <summary>One kernel as compiled.</summary>
/// <param name="File">Its PTX, in the folder that was written to.</param>
/// <param name="Family">Operation that it belongs to.</param>
/// <param name="Kernel">Method and type arguments.</param>
/// <param name="EntryPoint">Its name in the PTX.</param>
/// <param name="Registers">Of a thread, as the driver compiled it; null where no device was asked.</param>
/// <param name="LocalBytes">Local memory of a thread, spilled registers included; null where no device was asked.</param>
public sealed record ListedKernel(string File, string Family, string Kernel, string EntryPoint, int? Registers, int? LocalBytes);

/// <summary>What the cache of kernels holds.</summary>
/// <param name="Architecture">sm_80 and its like.</param>
/// <param name="Kernels">How many there are.</param>
/// <param name="Compiled">Of them by this process.</param>
/// <param name="Folder">Of the cache.</param>
/// <param name="Refusal">Why the folder is not used; null: it is.</param>
internal sealed record WarmedKernels(string Architecture, int Kernels, int Compiled, string Folder, string? Refusal);

/// <summary>Writes every kernel's PTX to a folder, for ptxas, cuobjdump and the eye.</summary>
public static partial class KernelListing
{
    /// <summary>The table beside the PTX: tab-separated, a line a kernel, "-" for what is not known.</summary>
    public const string TableFile = "kernels.tsv";

    /// <param name="folder">Made where it is not there; files of an earlier listing are replaced.</param>
    /// <param name="architecture">sm_80 and its like.</param>
    /// <param name="device">A CUDA device's number: its driver compiles each kernel too. null: none is asked.</param>
    /// <exception cref="InputException">No such architecture, or the folder cannot be written to.</exception>
    /// <exception cref="KernelException">A kernel does not compile; no driver, or no such device.</exception>
    public static IReadOnlyList<ListedKernel> Write(string folder, string architecture, int? device)
    {
        if (!Architecture().IsMatch(architecture)) throw new InputException("architecture", $"'{architecture}'", "sm_80, sm_90, sm_90a or their like");
        try
        {
            DiskStorage.Shared.EnsureDirectory(folder);
            // Compiled on all processors, listed in order.
            (string Family, int Number, KernelMethod Kernel)[] all =
                [.. KernelFamilies.All().SelectMany(f => f.Variants.Select((variant, i) => (f.Family, i + 1, variant.Kernel)))];
            var kernels = new ListedKernel[all.Length];
            Parallel.For(0, all.Length, ProcessorBudget.Loops, i => kernels[i] = Write(folder, architecture, device, all[i].Family, all[i].Number, all[i].Kernel));
            DiskStorage.Shared.WriteAtomically(Path.Combine(folder, TableFile), Table(kernels));
            return kernels;
        }
        catch (AggregateException e) when (FileErrors.IsRefusal(e.InnerExceptions[0]))
        {
            throw new InputException("ptx", e.InnerExceptions[0].Message.ReplaceLineEndings(" "));
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions[0];
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException("ptx", e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Sees to it that the user's cache holds every kernel.</summary>
    /// <param name="architecture">Where no device is asked: sm_80 and its like.</param>
    /// <param name="device">A CUDA device's number: its own architecture, and its driver loads each family as one module. null: none is asked.</param>
    /// <exception cref="InputException">No such architecture.</exception>
    /// <exception cref="KernelException">A kernel does not compile; no driver, or no such device.</exception>
    internal static WarmedKernels Warm(string architecture, int? device)
    {
        if (!Architecture().IsMatch(architecture)) throw new InputException("architecture", $"'{architecture}'", "sm_80, sm_90, sm_90a or their like");
        ModuleCache cache = KernelTensors.Cache;
        if (device is { } ordinal) architecture = CudaContext.Of(ordinal).Architecture;
        if (cache.Refusal() is { } refusal) return new WarmedKernels(architecture, 0, 0, cache.Folder, refusal);
        int kernels = device is { } which ? KernelTensors.Cuda(which).Warm(ProcessorBudget.Loops) : cache.Warm(architecture, ProcessorBudget.Loops);
        return new WarmedKernels(architecture, kernels, cache.Compiled, cache.Folder, cache.Refusal());
    }

    private static ListedKernel Write(string folder, string architecture, int? device, string family, int number, KernelMethod kernel)
    {
        PtxModule module = KernelCompiler.Compile(kernel, architecture);
        string file = string.Create(CultureInfo.InvariantCulture, $"{family}-{number:000}.ptx");
        DiskStorage.Shared.WriteAtomically(Path.Combine(folder, file), module.Text);
        CudaFunction? loaded = device is { } ordinal ? KernelTensors.Cuda(ordinal).Load(kernel) : null;
        return new ListedKernel(file, family, kernel.Name, module.EntryPoint, loaded?.Registers, loaded?.LocalBytes);
    }

    private static string Table(IEnumerable<ListedKernel> kernels)
    {
        var text = new StringBuilder("file\tfamily\tregisters\tlocal_bytes\tkernel\n");
        foreach (ListedKernel k in kernels)
            text.Append(CultureInfo.InvariantCulture, $"{k.File}\t{k.Family}\t{Number(k.Registers)}\t{Number(k.LocalBytes)}\t{k.Kernel}\n");
        return text.ToString();

        static string Number(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "-";
    }

    [GeneratedRegex(@"^sm_\d+[af]?$")]
    private static partial Regex Architecture();
}
