using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace ChemScale.Kernels.Device;

/// <summary>
/// Compiled kernels, in memory and in the user's cache folder, by the hash of their code, the compiler and the architecture. A cache that
/// cannot be used is only slower, and says so once. The driver keeps its own cache of the machine code.
/// </summary>
/// <param name="folder">Of the files.</param>
/// <param name="write">Puts a file in place, whole, and makes its folder; null: only memory keeps them.</param>
public sealed class ModuleCache(string folder, Action<string, byte[]>? write)
{
    private const string Extension = ".ptx", Entry = "// entry ", Whole = "\n// whole ";

    private readonly ConcurrentDictionary<string, Lazy<PtxModule>> modules = new(StringComparer.Ordinal);
    private readonly Lock evicting = new();
    private readonly ConcurrentDictionary<string, bool> said = new(StringComparer.Ordinal);
    private int compiled;

    /// <summary>The user's cache folder.</summary>
    public static ModuleCache Default { get; } = new(DefaultFolder(), static (path, content) => Write?.Invoke(path, content))
    {
        Remove = static path => Delete?.Invoke(path),
    };

    /// <summary>How <see cref="Default"/> writes, set by the program that has a way to; null: it does not.</summary>
    public static Action<string, byte[]>? Write { get; set; }

    /// <summary>How <see cref="Default"/> takes a file away, set likewise; null: it does not.</summary>
    public static Action<string>? Delete { get; set; }

    /// <summary>
    /// Why code in a folder must not be run, set likewise: null says that it may, and null for the function itself that <see cref="Default"/> reads nothing.
    /// </summary>
    public static Func<string, string?>? Objection { get; set; }

    /// <summary>Opens a file of <see cref="Default"/>, checked when it is open, set likewise; null where it is not there, or not to be trusted.</summary>
    public static Func<string, Stream?>? Open { get; set; }

    /// <summary>Who is told, in a line, of a cache that is not used or of a file in it that is no module; null: nobody.</summary>
    public static Action<string>? Warn { get; set; }

    /// <summary>Bytes that the folder's modules may take: those that were not read for longest, as the file system knows it, go first.</summary>
    public long LargestBytes { get; init; } = 64L << 20;

    /// <summary>Takes a file away; null: there is no bound.</summary>
    public Action<string>? Remove { get; init; }

    /// <summary>Where they are.</summary>
    public string Folder => folder;

    /// <summary>Kernels that this process had to compile.</summary>
    public int Compiled => Volatile.Read(ref compiled);

    /// <summary>Told in place of <see cref="Warn"/>.</summary>
    internal Action<string>? Told { get; init; }

    /// <summary>Asked in place of <see cref="Objection"/>.</summary>
    internal Func<string, string?>? Refuses { get; init; }

    /// <exception cref="KernelException">The kernel does not compile.</exception>
    public PtxModule Get(KernelMethod kernel, string architecture)
    {
        string key = Key(kernel, architecture);
        // Lazy: two threads that want the same kernel compile it once.
        return modules.GetOrAdd(key, _ => new Lazy<PtxModule>(() => Find(key, kernel, architecture))).Value;
    }

    /// <summary>A kernel's module where nothing has to be compiled for it; null: it has to.</summary>
    internal PtxModule? Known(KernelMethod kernel, string architecture)
    {
        string key = Key(kernel, architecture);
        if (modules.TryGetValue(key, out Lazy<PtxModule>? held)) return held.Value;
        return Refusal() is null && Read(PathOf(key), architecture) is { } found ? modules.GetOrAdd(key, new Lazy<PtxModule>(found)).Value : null;
    }

    /// <summary>Makes sure of all kernels, several at a time.</summary>
    /// <param name="architecture">sm_80 and its like</param>
    /// <param name="threads">How many.</param>
    /// <returns>How many there are.</returns>
    /// <exception cref="KernelException">One does not compile.</exception>
    public int Warm(string architecture, ParallelOptions threads)
    {
        KernelMethod[] kernels = [.. KernelFamilies.Types.SelectMany(KernelFamilies.Variants).Select(v => v.Kernel)];
        try
        {
            Parallel.ForEach(kernels, threads, kernel => Get(kernel, architecture));
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions[0];
        }
        return kernels.Length;
    }

    /// <summary>Why the folder is not used; null: it is.</summary>
    public string? Refusal() => this != Default ? Refuses?.Invoke(folder) : Objection is { } objection ? objection(folder) : "nobody said whether it may be trusted";

    private static string Key(KernelMethod kernel, string architecture) => $"{kernel.Identity}-{KernelCompiler.Revision}-{architecture}";

    private string PathOf(string key) => Path.Combine(folder, key + Extension);

    private PtxModule Find(string key, KernelMethod kernel, string architecture)
    {
        string path = PathOf(key);
        bool used = Refusal() is not { } refusal || Said($"kernel cache {folder}: {refusal}; kernels are compiled anew. HINT: XDG_CACHE_HOME names another place");
        if (used && Read(path, architecture) is { } known) return known;
        PtxModule module = KernelCompiler.Compile(kernel, architecture);
        Interlocked.Increment(ref compiled);
        if (used) Keep(path, module);
        return module;
    }

    /// <summary>Says a line once.</summary>
    private bool Said(string line)
    {
        if (said.TryAdd(line, true)) (Told ?? Warn)?.Invoke(line);
        return false;
    }

    private PtxModule? Read(string path, string architecture)
    {
        try
        {
            string text;
            using (Stream? file = this == Default ? Open?.Invoke(path) : File.Exists(path) ? File.OpenRead(path) : null)
            {
                if (file is null) return null;
                using var reader = new StreamReader(file, Encoding.ASCII);
                text = reader.ReadToEnd();
            }
            if (Module(text, architecture) is not { } module)
            {
                Said($"kernel cache {path}: no whole module ({text.Length:N0} bytes); compiled and written anew");
                return null;
            }
            return module;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>First line: the entry point. Last line: the hash of what is before it.</summary>
    private static PtxModule? Module(string text, string architecture)
    {
        int end = text.IndexOf('\n'), whole = text.LastIndexOf(Whole, StringComparison.Ordinal);
        if (!text.StartsWith(Entry, StringComparison.Ordinal) || end < 0 || whole < end) return null;
        return text[whole..].Trim('\n') == (Whole + Hash(text[..whole])).Trim('\n') ? new PtxModule(text[Entry.Length..end], architecture, text) : null;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)))[..32];

    private void Keep(string path, PtxModule module)
    {
        try
        {
            string text = $"{Entry}{module.EntryPoint}\n{module.Text}";
            write?.Invoke(path, Encoding.ASCII.GetBytes($"{text}{Whole}{Hash(text)}\n"));
            if (write is not null && Remove is not null) Evict(Remove);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another run compiles it again.
        }
    }

    private void Evict(Action<string> remove)
    {
        lock (evicting)
        {
            FileInfo[] files = [.. new DirectoryInfo(folder).EnumerateFiles("*" + Extension).OrderBy(f => f.LastAccessTimeUtc)];
            long bytes = files.Sum(f => f.Length);
            foreach (FileInfo file in files)
            {
                if (bytes <= LargestBytes) break;
                bytes -= file.Length;
                remove(file.FullName);
            }
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
