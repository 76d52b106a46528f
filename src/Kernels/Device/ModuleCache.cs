using System.Collections.Concurrent;
using System.Text;

namespace ChemScale.Kernels.Device;

/// <summary>
/// Compiled kernels, in memory and in the user's cache folder, by the hash of their code, the compiler and the architecture. A cache that
/// cannot be written is only slower. The driver keeps its own cache of the machine code.
/// </summary>
/// <param name="folder">Of the files.</param>
/// <param name="write">Puts a file in place, whole, and makes its folder; null: only memory keeps them.</param>
public sealed class ModuleCache(string folder, Action<string, byte[]>? write)
{
    private readonly ConcurrentDictionary<string, Lazy<PtxModule>> modules = new(StringComparer.Ordinal);

    /// <summary>The user's cache folder.</summary>
    public static ModuleCache Default { get; } = new(DefaultFolder(), static (path, content) => Write?.Invoke(path, content));

    /// <summary>How <see cref="Default"/> writes, set by the program that has a way to; null: it does not.</summary>
    public static Action<string, byte[]>? Write { get; set; }

    /// <summary>Whether code in a folder may be run, set likewise; null: <see cref="Default"/> reads nothing.</summary>
    public static Func<string, bool>? IsTrusted { get; set; }

    /// <exception cref="KernelException">The kernel does not compile.</exception>
    public PtxModule Get(KernelMethod kernel, string architecture)
    {
        string key = $"{kernel.Identity}-{KernelCompiler.Revision}-{architecture}";
        // Lazy: two threads that want the same kernel compile it once.
        return modules.GetOrAdd(key, _ => new Lazy<PtxModule>(() => Find(key, kernel, architecture))).Value;
    }

    private PtxModule Find(string key, KernelMethod kernel, string architecture)
    {
        string path = Path.Combine(folder, key + ".ptx");
        bool trusted = this != Default || IsTrusted?.Invoke(folder) == true;
        if (trusted && Read(path, architecture) is { } known) return known;
        PtxModule module = KernelCompiler.Compile(kernel, architecture);
        Keep(path, module);
        return module;
    }

    private static PtxModule? Read(string path, string architecture)
    {
        try
        {
            // First line: the entry point, as a comment. Last line: a mark that the file is whole.
            if (!File.Exists(path)) return null;
            string text = File.ReadAllText(path);
            int end = text.IndexOf('\n');
            return end > 3 && text.EndsWith(Whole, StringComparison.Ordinal) ? new PtxModule(text[3..end], architecture, text) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private const string Whole = "\n// whole\n";

    private void Keep(string path, PtxModule module)
    {
        try
        {
            write?.Invoke(path, Encoding.ASCII.GetBytes($"// {module.EntryPoint}\n{module.Text}{Whole}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another run compiles it again.
        }
    }

    private static string DefaultFolder()
    {
        string? root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(root))
        {
            root = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        }
        return Path.Combine(root, "chemscale", "ptx");
    }
}
