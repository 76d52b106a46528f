using System.Globalization;
using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using ChemScale.Engine;
using ChemScale.Engine.Native;
using ChemScale.Kernels.Device;
using static TorchSharp.torch;

namespace ChemScale.Perf.Measuring;

/// <summary>Where and with what a run was made.</summary>
internal sealed record HostFacts
{
    public string HostName { get; init; } = "";

    public string Processor { get; init; } = "";

    /// <summary>Threads that are ours.</summary>
    public int Cores { get; init; }

    /// <summary>What decided their number.</summary>
    public string CoresReason { get; init; } = "";

    public int Threads { get; init; }

    public double MemoryBytes { get; init; }

    public string System { get; init; } = "";

    public string Runtime { get; init; } = "";

    /// <summary>How code comes to be compiled: tiers, profiles, loops, and whether our own assemblies are compiled ahead.</summary>
    public string Jit { get; init; } = "";

    public string Libtorch { get; init; } = "";

    /// <summary>cpu, or the device's name.</summary>
    public string Device { get; init; } = "";

    public double? DeviceMemoryBytes { get; init; }

    /// <summary>Version of the NVIDIA driver; null: none.</summary>
    public string? Driver { get; init; }

    /// <summary>Load averages when the run began.</summary>
    public string Load { get; init; } = "";

    public int Process { get; init; }

    public string? SlurmJob { get; init; }

    public string? SlurmStep { get; init; }

    public string? SlurmTask { get; init; }

    public string? SlurmNode { get; init; }

    public string? SlurmTasks { get; init; }

    /// <summary>Of this program.</summary>
    public static string Version { get; } =
        typeof(HostFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static HostFacts Gather(RunSettings settings)
    {
        CudaDriver driver = CudaDriver.Find();
        CudaDeviceFacts? device = settings.Cuda ? driver.Devices[settings.Ordinal] : null;
        return new HostFacts
        {
            HostName = Environment.MachineName,
            Processor = ProcessorName(),
            Cores = ProcessorBudget.Count,
            CoresReason = ProcessorBudget.Reason,
            Threads = get_num_threads(),
            MemoryBytes = DeviceMemory.Total(),
            System = RuntimeInformation.OSDescription,
            Runtime = RuntimeInformation.FrameworkDescription,
            Jit = JitSettings(),
            Libtorch = LibtorchVersion(),
            Device = device?.Name ?? settings.DeviceName,
            DeviceMemoryBytes = device?.Memory,
            Driver = driver.Absence is null ? DriverVersion(driver) : null,
            Load = LoadAverages(),
            Process = Environment.ProcessId,
            SlurmJob = Slurm("JOB_ID"),
            SlurmStep = Slurm("STEP_ID"),
            SlurmTask = Slurm("PROCID"),
            SlurmNode = Slurm("NODEID"),
            SlurmTasks = Slurm("NTASKS"),
        };
    }

    private static string JitSettings()
    {
        bool tiered = Setting("TieredCompilation", "TieredCompilation", true);
        string tiers = !tiered ? "no tiers" : "tiers" + (Setting("TieredPGO", "TieredPGO", true) ? ", profiles" : "")
            + (Setting("TC_QuickJitForLoops", "TieredCompilation.QuickJitForLoops", true) ? ", quick loops" : "");
        using var image = new PEReader(File.OpenRead(typeof(NativeLibraries).Assembly.Location));
        bool ahead = image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0 && Setting("ReadyToRun", "ReadyToRun", true);
        return $"JIT: {tiers}{(ahead ? ", compiled ahead" : "")}";
    }

    /// <summary>The environment's, else the program's.</summary>
    private static bool Setting(string variable, string property, bool otherwise) =>
        Environment.GetEnvironmentVariable("DOTNET_" + variable) is { Length: > 0 } text ? text.TrimStart('0') is not ""
        : AppContext.TryGetSwitch("System.Runtime." + property, out bool value) ? value : otherwise;

    private static string? Slurm(string name) => Environment.GetEnvironmentVariable("SLURM_" + name);

    private static string LoadAverages() =>
        File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]) : "";

    private static string ProcessorName()
    {
        string? line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?.Split(':')[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    /// <summary>What lies beside the library that was loaded; else what TorchSharp was built for.</summary>
    public static string LibtorchVersion()
    {
        if (NativeLibraries.TorchFolder is { } folder)
        {
            string wheel = Path.Combine(folder, "..", "version.py"), archive = Path.Combine(folder, "..", "build-version");
            if (File.Exists(archive)) return File.ReadAllText(archive).Trim();
            if (File.Exists(wheel) && File.ReadLines(wheel).FirstOrDefault(l => l.StartsWith("__version__", StringComparison.Ordinal)) is { } line)
                return line.Split('\'', '"')[1];
        }
        return __version__;
    }

    private static string DriverVersion(CudaDriver driver)
    {
        const string Module = "/sys/module/nvidia/version";
        string cuda = string.Create(CultureInfo.InvariantCulture, $"CUDA {driver.Version / 1000}.{driver.Version % 1000 / 10}");
        return File.Exists(Module) ? $"{File.ReadAllText(Module).Trim()} ({cuda})" : cuda;
    }
}
