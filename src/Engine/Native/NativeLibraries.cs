using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Native;

/// <summary>
/// Loads libtorch and TorchSharp's shim before TorchSharp looks for them: libtorch from LIBTORCH_DIR, else from the package folder
/// recorded at build time, else from beside the program, so that no output folder needs a copy of it.
/// </summary>
public static class NativeLibraries
{
    /// <summary>The variable that overrides where libtorch is looked for.</summary>
    public const string FolderVariable = "LIBTORCH_DIR";

    /// <summary>
    /// An <see cref="AppContext"/> switch: set before this assembly is first used, nothing loads until <see cref="EnsureLoaded"/> or
    /// <see cref="Require"/> is called.
    /// </summary>
    public const string LaterSwitch = "ChemScale.LoadNativesLater";

    /// <summary>What the weaver writes into TorchSharp.dll.</summary>
    private const string WeavingMark = "ChemScale.KeepsNativeObjectsAlive";

    private const string NotWoven = "as it is packed, it frees objects while native code works on them";

    private const string WeavingHint = "build with the projects of this repository, or import src/Engine/Native/Weaver/Weaver.targets into your own";

    private const string Shim = "libLibTorchSharp.so";

    // GCC 13's libstdc++; Debian 12 and Ubuntu 22.04 have GCC 12's. The shim lists the version and uses nothing of it.
    internal const string UnusedVersion = "GLIBCXX_3.4.32";

    private static readonly Lock Gate = new();
    private static bool attempted;

    /// <summary>Folder libtorch was loaded from; null when it was left to the runtime's own search.</summary>
    public static string? TorchFolder { get; private set; }

    /// <summary>Where TorchSharp's shim was loaded from; null when it was left to the runtime's own search.</summary>
    public static string? ShimPath { get; private set; }

    /// <summary>True where the shim had to be loaded from a copy that older libstdc++ accept.</summary>
    public static bool ShimRelaxed { get; private set; }

    /// <summary>Why loading failed: one line. Null when all is well.</summary>
    public static string? Failure { get; private set; }

    /// <summary>Whether the TorchSharp that is loaded keeps its objects alive while native code works on them: see Weaver.cs.</summary>
    public static bool IsWoven { get; } =
        typeof(TorchSharp.torch).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Any(a => a.Key == WeavingMark);

    /// <summary>What to do about a <see cref="Failure"/>.</summary>
    public static string Remedy => IsWoven ? $"restore the packages, or set {FolderVariable} to the lib folder of a libtorch 2.10" : WeavingHint;

#pragma warning disable CA2255 // A module initializer in a library: nothing of TorchSharp may run before the natives are in place.
    [ModuleInitializer]
    internal static void OnFirstUse()
    {
        if (AppContext.TryGetSwitch(LaterSwitch, out bool later) && later) return;
        EnsureLoaded();
        if (!IsWoven) throw Refusal();
    }
#pragma warning restore CA2255

    /// <summary>Loads once, or says why that failed.</summary>
    /// <exception cref="InputException">No libtorch that loads, or a TorchSharp that is not woven.</exception>
    public static void Require()
    {
        EnsureLoaded();
        if (Failure is not null) throw Refusal();
    }

    /// <summary>Loads once; later calls do nothing. Never throws: <see cref="Failure"/> says what went wrong.</summary>
    public static void EnsureLoaded()
    {
        lock (Gate)
        {
            if (attempted) return;
            attempted = true;
            if (!IsWoven)
            {
                Failure = NotWoven;
                return;
            }
            NativeHeap.KeepFreed();
            ThreadWaiting.Shorten();
            try
            {
                Load();
                if (Failure is null) ThreadGrant.Bound();
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or UnauthorizedAccessException)
            {
                Failure = e.Message.ReplaceLineEndings(" ");
            }
        }
    }

    /// <summary>Folders tried for libtorch, first match first; none by a relative path, which means another folder wherever one stands.</summary>
    public static IEnumerable<string> CandidateFolders()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } chosen)
        {
            // Whoever chooses one wants no other in its place.
            if (Path.IsPathFullyQualified(chosen)) yield return chosen;
            yield break;
        }
        if (RecordedFolder() is { Length: > 0 } recorded)
        {
            yield return recorded;
            // A package cache elsewhere than on the machine that built (NUGET_PACKAGES moved, another user's home).
            if (PackageTail(recorded) is { } tail && PackageCache() is { } cache && Path.IsPathFullyQualified(cache)) yield return Path.Combine(cache, tail);
        }
        yield return AppContext.BaseDirectory;
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
    }

    /// <summary>The first of <see cref="CandidateFolders"/> that holds a libtorch; null: none does.</summary>
    public static string? FindTorchFolder()
    {
        string name = OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so";
        return CandidateFolders().FirstOrDefault(folder => File.Exists(Path.Combine(folder, name)));
    }

    /// <summary>Linux: why there is no libtorch to load.</summary>
    internal static string NothingFound()
    {
        string chosen = Environment.GetEnvironmentVariable(FolderVariable) ?? "";
        return chosen.Length > 0 && !Path.IsPathFullyQualified(chosen) ? $"{FolderVariable} is a relative path, '{chosen}'"
            : "no libtorch_cpu.so in " + string.Join(", ", CandidateFolders());
    }

    /// <summary>Why the libraries of a folder must not be loaded, each of which may load any other; null: they may.</summary>
    internal static string? Objection(string folder) =>
        Directory.GetFiles(folder, "*.so*").Select(Ownership.Objection).FirstOrDefault(o => o is not null) is { } objection
            ? $"{objection}; {Ownership.Variable}=FOLDER trusts a folder of another's" : null;

    /// <summary>Linux: TorchSharp's shim as it was packed; null where it is not beside the program.</summary>
    public static string? FindShim() => new[]
    {
        Path.Combine(AppContext.BaseDirectory, Shim),
        Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", Shim),
    }.FirstOrDefault(File.Exists);

    private static void Load()
    {
        // Elsewhere TorchSharp's own search works: a native folder beside the program, or the variable's folder on the search path.
        if (!OperatingSystem.IsLinux())
        {
            LoadOnOtherSystems();
            return;
        }
        TorchFolder = FindTorchFolder();
        if (TorchFolder is null)
        {
            Failure = NothingFound();
            return;
        }
        Failure = Objection(TorchFolder);
        if (Failure is not null) return;
        // libtorch's RPATH ($ORIGIN) finds its siblings once the first is named by path.
        foreach (string name in (string[])["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"])
        {
            string path = Path.Combine(TorchFolder, name);
            if (File.Exists(path)) NativeLibrary.Load(path);
        }
        LoadShim();
    }

    private static void LoadShim()
    {
        if (FindShim() is not { } path)
        {
            Failure = $"{Shim} not found beside {AppContext.BaseDirectory}";
            return;
        }
        ShimPath = path;
        if (NativeLibrary.TryLoad(path, out _)) return;
        byte[] bytes = File.ReadAllBytes(path);
        if (SymbolVersions.MakeWeak(bytes, UnusedVersion) == 0)
        {
            NativeLibrary.Load(path); // throws with the loader's own reason
            return;
        }
        LoadCopy(bytes);
        ShimRelaxed = true;
    }

    /// <summary>
    /// From memory where the system lets, else from a file that is gone at once. Nothing is kept for the next process: it would have to trust
    /// whoever can write where it was kept.
    /// </summary>
    internal static nint LoadCopy(byte[] bytes)
    {
        var reasons = new List<string>();
        Func<PrivateFile>[] ways = [() => PrivateFile.InMemory(Shim, bytes), .. ((string[])[CacheHome(), Path.GetTempPath()]).Where(Path.IsPathFullyQualified)
            .Select(folder => (Func<PrivateFile>)(() => PrivateFile.Below(folder, bytes)))];
        foreach (Func<PrivateFile> way in ways)
        {
            try
            {
                using PrivateFile copy = way();
                return NativeLibrary.Load(copy.Path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException or BadImageFormatException)
            {
                reasons.Add(e.Message);
            }
        }
        throw new IOException($"no copy of {Shim} can be loaded: {string.Join("; ", reasons)}");
    }

    private static void LoadOnOtherSystems()
    {
        TorchFolder = FindTorchFolder();
        if (TorchFolder is null) return;
        if (OperatingSystem.IsWindows())
        {
            // Dependencies of a DLL are searched on PATH.
            Environment.SetEnvironmentVariable("PATH", TorchFolder + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH"));
        }
        NativeLibrary.Load(Path.Combine(TorchFolder, OperatingSystem.IsWindows() ? "torch_cpu.dll" : "libtorch_cpu.dylib"));
    }

    private static InputException Refusal() =>
        IsWoven ? new InputException("libtorch", Failure!, "one that loads", Remedy) : new InputException("TorchSharp.dll", NotWoven, "the one woven at build", Remedy);

    private static string? RecordedFolder() => typeof(NativeLibraries).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == "LibTorchFolder")?.Value;

    private static string? PackageTail(string folder)
    {
        int at = folder.Replace('\\', '/').IndexOf("/libtorch-cpu-", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : folder[(at + 1)..];
    }

    private static string PackageCache() =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } moved
            ? moved
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string CacheHome() =>
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home
            ? home
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
}
