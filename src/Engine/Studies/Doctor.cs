using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators;
using TorchSharp;

namespace ChemScale.Engine.Studies;

/// <summary>One thing <c>doctor</c> looked at. Fatal: nothing trains without it.</summary>
public sealed record Finding(string What, bool Good, bool Fatal, string Found, string Hint = "");

/// <summary>Looks at what this machine offers, and says what to do about what is missing.</summary>
public static class Doctor
{
    public static IReadOnlyList<Finding> Examine() => [Runtime(), Torch(), Shim(), Arithmetic(), Cuda(), Compiler(), Data()];

    private static Finding Runtime() => new("runtime", true, true,
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}, "
        + $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 20)} MiB, "
        + (Vector512.IsHardwareAccelerated ? "512-bit vectors" : Vector256.IsHardwareAccelerated ? "256-bit vectors" : "no wide vectors"));

    private static Finding Torch()
    {
        NativeLibraries.EnsureLoaded();
        return NativeLibraries.Failure is { } failure
            ? new Finding("libtorch", false, true, failure, $"restore the packages, or set {NativeLibraries.FolderVariable} to the lib folder of a libtorch 2.10")
            : new Finding("libtorch", true, true, NativeLibraries.TorchFolder ?? "found by TorchSharp itself");
    }

    private static Finding Shim() => NativeLibraries.Failure is { } failure
        ? new Finding("TorchSharp", false, true, failure)
        : new Finding("TorchSharp", true, true, (NativeLibraries.ShimPath ?? "found by TorchSharp itself")
            + (NativeLibraries.ShimRelaxed ? " (a copy that this older libstdc++ accepts)" : ""));

    private static Finding Arithmetic()
    {
        if (NativeLibraries.Failure is not null) return new Finding("arithmetic", false, true, "not tried: libtorch is missing");
        using torch.Tensor a = torch.tensor(new[] { 1.0, 2, 3, 4 }).reshape(2, 2);
        using torch.Tensor b = a.matmul(a);
        bool right = b.data<double>().ToArray() is [7, 10, 15, 22];
        return new Finding("arithmetic", right, true, right ? $"right, on {torch.get_num_threads()} threads"
            + (TorchThreads.Shared ? " shared with the host path" : "") : "wrong products: this libtorch does not suit this machine");
    }

    private static Finding Cuda()
    {
        (bool present, string description) = Devices.Cuda();
        if (!present) return new Finding("CUDA", false, false, description, "training runs on the CPU");
        bool usable = NativeLibraries.Failure is null && torch.cuda.is_available();
        return new Finding("CUDA", usable, false, description, usable ? ""
            : $"the loaded libtorch has no CUDA: set {NativeLibraries.FolderVariable} to the lib folder of a CUDA build of libtorch 2.10");
    }

    private static Finding Compiler() => new("ILGPU", true, false, Devices.Compiler());

    private static Finding Data() => DataFolder.Find() is { } folder
        ? new Finding("data", true, false, folder)
        : new Finding("data", false, false, "no folder of reference data", $"optional: set {DataFolder.Variable} to one; tests that need it skip");
}
