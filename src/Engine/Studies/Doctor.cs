using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Files;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Transformer;
using TorchSharp;

namespace ChemScale.Engine.Studies;

/// <summary>One thing <c>doctor</c> looked at. Fatal: nothing trains without it.</summary>
/// <param name="What">Its name.</param>
/// <param name="Good">Whether it is there and right.</param>
/// <param name="Fatal">Whether it has to be.</param>
/// <param name="Found">One line.</param>
/// <param name="Hint">What to do about it; may be empty.</param>
/// <param name="Details">Lines for who asked about this alone; may be null.</param>
public sealed record Finding(string What, bool Good, bool Fatal, string Found, string Hint = "", IReadOnlyList<string>? Details = null);

/// <summary>Looks at what this machine offers, and says what to do about what is missing.</summary>
public static class Doctor
{
    /// <summary>Everything. A libtorch that lacks what TorchSharp calls is not called.</summary>
    public static IReadOnlyList<Finding> Examine()
    {
        if (!NativeLibraries.IsWoven) return [Runtime(), Threads(loaded: false), Shim(), Imports(), Driver(), Compiler(), Data()];
        return Imports() is { Good: false } incomplete
            ? [Runtime(), Threads(loaded: false), incomplete, Driver(), Compiler(), Data()]
            : [Runtime(), Threads(loaded: true), Torch(), Shim(), Imports(), Arithmetic(), Products(), Forms(), Cuda(), Compiler(), Data()];
    }

    /// <summary>
    /// Whether the libtorch that would be loaded has all that TorchSharp's shim takes from it. Reads files: nothing of libtorch is loaded.
    /// </summary>
    public static Finding Imports()
    {
        if (!OperatingSystem.IsLinux()) return new Finding("imports", true, false, "looked at on Linux alone");
        string hint = $"set {NativeLibraries.FolderVariable} to the lib folder of a libtorch 2.10 or one that answers with nothing missing";
        if (NativeLibraries.FindTorchFolder() is not { } folder)
        {
            return new Finding("imports", false, true, NativeLibraries.NothingFound(), hint);
        }
        if (NativeLibraries.Objection(folder) is { } objection) return new Finding("imports", false, true, objection, hint);
        if (NativeLibraries.FindShim() is not { } shim) return new Finding("imports", false, true, $"no shim beside {AppContext.BaseDirectory}");
        try
        {
            var watch = Stopwatch.StartNew();
            ShimImports imports = ShimImports.Check(shim, folder);
            string taken = $"{imports.Checked} symbols that TorchSharp takes from {folder} ({watch.ElapsedMilliseconds} ms)";
            if (imports.Complete) return new Finding("imports", true, true, $"none missing of {taken}");
            string libraries = imports.AbsentLibraries.Count == 0 ? "" : $"; no {string.Join(", ", imports.AbsentLibraries)}";
            return new Finding("imports", false, true, $"{imports.Missing.Count} missing of {taken}{libraries}", hint, imports.Missing);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return new Finding("imports", false, true, e.Message.ReplaceLineEndings(" "), hint);
        }
    }

    private static Finding Runtime() => new("runtime", true, true,
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}, "
        + $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 20)} MiB, "
        + (Vector512.IsHardwareAccelerated ? "512-bit vectors" : Vector256.IsHardwareAccelerated ? "256-bit vectors" : "no wide vectors"));

    private static Finding Threads(bool loaded)
    {
        if (loaded) NativeLibraries.EnsureLoaded();
        return new Finding("threads", true, false, $"{ProcessorBudget.Count}: {ProcessorBudget.Reason}" + (loaded ? "; " + ThreadWaiting.Describe() : ""));
    }

    private static Finding Torch()
    {
        NativeLibraries.EnsureLoaded();
        return NativeLibraries.Failure is { } failure
            ? new Finding("libtorch", false, true, failure, NativeLibraries.Remedy)
            : new Finding("libtorch", true, true, (NativeLibraries.TorchFolder ?? "found by TorchSharp itself")
                + (Ownership.TrustedFolders.Any() ? $" ({Ownership.Variable} trusts {string.Join(", ", Ownership.TrustedFolders)})" : ""));
    }

    private static Finding Shim()
    {
        NativeLibraries.EnsureLoaded();
        return NativeLibraries.Failure is { } failure
            ? new Finding("TorchSharp", false, true, failure, NativeLibraries.Remedy)
            : new Finding("TorchSharp", true, true, (NativeLibraries.ShimPath ?? "found by TorchSharp itself")
                + (NativeLibraries.ShimRelaxed ? " (a copy that this older libstdc++ accepts)" : ""));
    }

    private static Finding Arithmetic()
    {
        if (NativeLibraries.Failure is not null) return new Finding("arithmetic", false, true, "not tried: libtorch is missing");
        using torch.Tensor a = torch.tensor(new[] { 1.0, 2, 3, 4 }).reshape(2, 2);
        using torch.Tensor b = a.matmul(a);
        bool right = b.data<double>().ToArray() is [7, 10, 15, 22];
        return new Finding("arithmetic", right, true, right ? $"right, on {torch.get_num_threads()} threads"
            + (TorchThreads.Shared ? " shared with the host path" : "") : "wrong products: this libtorch does not suit this machine");
    }

    /// <summary>What multiplies the matrices of passes on raw memory; libtorch's own operations multiply with its BLAS in any case.</summary>
    private static Finding Products()
    {
        if (NativeLibraries.Failure is not null) return new Finding("products", false, false, "not looked at: libtorch is missing");
        return new Finding("products", true, false, ProductForms.Description);
    }

    /// <summary>What auto takes, and by which rule: the choices of the operations, in words.</summary>
    private static Finding Forms() => new("operators", true, false, "auto on the CPU: " + (Vector256.IsHardwareAccelerated
        ? "host forms (docs/PERFORMANCE.md has both forms' times); composed for ChemGPT layers wider than "
            + $"{TransformerStackHost.WidestOfUse} and generation wider than {DecodingModel.WidestOfUse}, whose products libtorch shares among threads itself"
        : "host forms of messages between atoms alone, composed for the rest: no 256-bit vectors") + "; on CUDA: kernels");

    private static Finding Cuda()
    {
        (bool present, string description) = Devices.Cuda();
        if (!present) return new Finding("CUDA", false, false, description, "training runs on the CPU");
        bool usable = NativeLibraries.Failure is null && torch.cuda.is_available();
        return new Finding("CUDA", usable, false, description, usable ? ""
            : $"the loaded libtorch has no CUDA: set {NativeLibraries.FolderVariable} to the lib folder of a CUDA build of libtorch 2.10");
    }

    /// <summary>Works on a device: library operations, a kernel, an operation of ours. Stops at the first step that fails.</summary>
    /// <param name="device">cpu, cuda, or cuda:1 and its like</param>
    /// <exception cref="InputException">No such kind of device.</exception>
    public static IReadOnlyList<Finding> Work(string device)
    {
        int? ordinal = CudaOrdinal(device);
        if (!NativeLibraries.IsWoven) return [Shim()];
        if (Imports() is { Good: false } incomplete) return [incomplete];
        NativeLibraries.EnsureLoaded();
        if (NativeLibraries.Failure is { } failure) return [new Finding("libtorch", false, true, failure)];
        if (ordinal is not null && !torch.cuda.is_available()) return [Cuda() with { Fatal = true }];
        List<Finding> findings = [];
        foreach ((string what, Func<DeviceStep> run) in DeviceCheck.Steps(torch.device(device)))
        {
            Finding finding = Work(what, run);
            findings.Add(finding);
            if (!finding.Good) break;
        }
        return findings;
    }

    /// <summary>Writes every kernel's PTX, and what the driver made of it where a CUDA device is named.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="architecture">sm_80 and its like</param>
    /// <param name="device">A CUDA device; cpu or null: the driver is not asked</param>
    /// <exception cref="InputException">No such kind of device or architecture, or the folder cannot be written to.</exception>
    public static Finding Kernels(string folder, string architecture, string? device)
    {
        var watch = Stopwatch.StartNew();
        IReadOnlyList<ListedKernel> kernels = KernelListing.Write(folder, architecture, device is null ? null : CudaOrdinal(device));
        string[] local = [.. kernels.Where(k => k.LocalBytes > 0).Select(k => $"{k.File} {k.Kernel}: {k.LocalBytes} bytes of local memory")];
        return new Finding("kernels", true, true, $"{kernels.Count} compiled for {architecture} into {folder} ({watch.Elapsed.TotalSeconds:F1} s)"
            + (local.Length == 0 ? "" : $"; {local.Length} with local memory"), "", local);
    }

    /// <summary>Compiles all kernels into the user's cache, several at a time; where a CUDA device is named, its driver does the rest.</summary>
    /// <param name="architecture">sm_80 and its like; of no use where a device is named</param>
    /// <param name="device">A CUDA device; cpu or null: none</param>
    /// <exception cref="InputException">No such kind of device or architecture.</exception>
    public static Finding Warm(string architecture, string? device)
    {
        var watch = Stopwatch.StartNew();
        WarmedKernels warmed = KernelListing.Warm(architecture, device is null ? null : CudaOrdinal(device));
        string found = string.Create(CultureInfo.InvariantCulture,
            $"{warmed.Kernels} for {warmed.Architecture}, {warmed.Compiled} of them compiled now, in {warmed.Folder} ({watch.Elapsed.TotalSeconds:F1} s)");
        return warmed.Refusal is { } refusal
            ? new Finding("kernels", false, true, $"{warmed.Folder}: {refusal}", "XDG_CACHE_HOME names another place for caches")
            : new Finding("kernels", true, true, found);
    }

    /// <returns>null: the CPU</returns>
    private static int? CudaOrdinal(string device)
    {
        if (device == "cpu") return null;
        if (device == "cuda") return 0;
        return device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int n)
            ? n
            : throw new InputException("device", $"'{device}'", "cpu, cuda or cuda:1 and its like");
    }

    private static Finding Work(string what, Func<DeviceStep> run)
    {
        try
        {
            var watch = Stopwatch.StartNew();
            DeviceStep step = run();
            return new Finding(what, step.Right, true,
                string.Create(CultureInfo.InvariantCulture, $"relative error {step.Error:e1}, at most {step.Allowed:e1} allowed ({watch.ElapsedMilliseconds} ms)"));
        }
#pragma warning disable CA1031 // Whatever a device throws is the finding.
        catch (Exception e)
        {
            return new Finding(what, false, true, e.Message.ReplaceLineEndings(" "));
        }
#pragma warning restore CA1031
    }

    /// <summary>What can be said of CUDA without libtorch.</summary>
    private static Finding Driver()
    {
        (bool present, string description) = Devices.Cuda();
        return new Finding("CUDA", present, false, description, present ? "" : "training runs on the CPU");
    }

    private static Finding Compiler() => new("ILGPU", true, false, Devices.Compiler());

    private static Finding Data() => DataFolder.Find() is { } folder
        ? new Finding("data", true, false, folder)
        : new Finding("data", false, false, "no folder of reference data", $"optional: set {DataFolder.Variable} to one; tests that need it skip");
}
