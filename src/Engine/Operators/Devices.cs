using ChemScale.Kernels.Device;

namespace ChemScale.Engine.Operators;

/// <summary>Devices that operators can run on.</summary>
public static class Devices
{
    /// <summary>One line on the NVIDIA driver and its devices, and whether there is one.</summary>
    public static (bool Present, string Description) Cuda()
    {
        CudaDriver driver = CudaDriver.Find();
        if (driver.Absence is { } absence) return (false, absence);
        string version = $"CUDA {driver.Version / 1000}.{driver.Version % 1000 / 10}";
        return (true, version + ": " + string.Join("; ", driver.Devices.Select(d =>
            $"{d.Name} (sm_{d.Major}{d.Minor}, {d.Memory / (1 << 30)} GiB)")));
    }

    /// <summary>What the kernel compiler can target.</summary>
    public static string Compiler() => string.Join("; ", CompilerDevices.List());
}
