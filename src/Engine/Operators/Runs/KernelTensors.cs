using ChemScale.Engine.Files;
using ChemScale.Engine.Native;
using ChemScale.Kernels.Device;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Runs;

/// <summary>Tensors as kernels see them: their own memory, on their own device.</summary>
internal static class KernelTensors
{
    // Kernels know no engine: what they keep is written as everything else is.
    static KernelTensors()
    {
        ModuleCache.Objection = static folder => Directory.Exists(folder) ? Ownership.PrivacyObjection(folder) : null;
        ModuleCache.Open = Ownership.OpenPrivate;
        ModuleCache.Delete = DiskStorage.Shared.DeleteFile;
        ModuleCache.Warn = static line => Console.Error.WriteLine("chemscale: warning: " + line);
        ModuleCache.Write = static (path, content) =>
        {
            if (Ownership.MakePrivate(Path.GetDirectoryName(path)!)) DiskStorage.Shared.WriteAtomically(path, content);
        };
    }

    /// <exception cref="NotSupportedException">Neither on the CPU nor on a CUDA device.</exception>
    /// <exception cref="KernelException">No driver.</exception>
    public static KernelDevice Device(Tensor tensor) => tensor.device_type switch
    {
        DeviceType.CPU => RunScope.Current.CpuKernels(),
        DeviceType.CUDA => Cuda(tensor.device_index),
        var other => throw new NotSupportedException($"kernels run on the CPU and on CUDA, not on {other}"),
    };

    /// <summary>The kernels' cache, as this program uses it.</summary>
    public static ModuleCache Cache => ModuleCache.Default;

    /// <summary>A CUDA device by its number.</summary>
    /// <exception cref="KernelException">No driver, or no such device.</exception>
    public static CudaDevice Cuda(int ordinal) => CudaDevice.Of(ordinal);

    /// <summary>The tensor's memory, which holds the tensor until a launch on it returns.</summary>
    /// <param name="tensor">null: an empty array, for an argument that is absent.</param>
    /// <exception cref="ArgumentException">Not contiguous, or of another number type.</exception>
    public static DeviceArray<T> Array<T>(Tensor? tensor)
        where T : unmanaged
    {
        if (tensor is null) return DeviceArray<T>.Empty;
        ScalarType wanted = Type<T>();
        if (tensor.dtype != wanted) throw new ArgumentException($"a kernel wants {wanted}, not {tensor.dtype}");
        using var memory = new TensorMemory(tensor);
        return new DeviceArray<T>(memory.Address, tensor.numel(), tensor);
    }

    private static ScalarType Type<T>() => default(T) switch
    {
        float => ScalarType.Float32,
        double => ScalarType.Float64,
        int => ScalarType.Int32,
        long => ScalarType.Int64,
        _ => throw new NotSupportedException($"no tensor holds {typeof(T).Name}"),
    };
}
