using System.Runtime.InteropServices;

namespace ChemScale.Engine.Native;

/// <summary>
/// What TorchSharp's shim takes from a libtorch, found by reading files alone. The loader binds functions when they are first called: with
/// a libtorch that lacks one, loading succeeds and the call ends the process.
/// </summary>
/// <param name="Shim">The shim's file.</param>
/// <param name="TorchFolder">Folder of the libtorch.</param>
/// <param name="Checked">Symbols that the shim needs from other libraries.</param>
/// <param name="Missing">Those that no library has, as the file names them, sorted.</param>
/// <param name="AbsentLibraries">Libraries that shim or libtorch ask for by a name of libtorch's own, and that are not there.</param>
internal sealed record ShimImports(
    string Shim, string TorchFolder, int Checked, IReadOnlyList<string> Missing, IReadOnlyList<string> AbsentLibraries)
{
    public bool Complete => Missing.Count == 0 && AbsentLibraries.Count == 0;

    /// <summary>Follows the shim's libraries through <paramref name="torchFolder"/>; the system's come from the loader.</summary>
    /// <param name="shim">libLibTorchSharp.so</param>
    /// <param name="torchFolder">The lib folder of a libtorch.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is no shared object of this platform.</exception>
    public static ShimImports Check(string shim, string torchFolder)
    {
        ElfSymbols root = ElfSymbols.Read(shim);
        HashSet<string> open = root.Imports(), seen = [];
        List<string> absent = [];
        int count = open.Count;
        var queue = new Queue<string>(root.Libraries);
        while (queue.TryDequeue(out string? name))
        {
            if (!seen.Add(name)) continue;
            string path = Path.Combine(torchFolder, name);
            if (File.Exists(path))
            {
                ElfSymbols library = ElfSymbols.Read(path);
                library.RemoveExports(open);
                foreach (string next in library.Libraries) queue.Enqueue(next);
            }
            else if (IsOfTorch(name))
            {
                absent.Add(name);
            }
            else if (root.Libraries.Contains(name) && NativeLibrary.TryLoad(name, out nint handle))
            {
                open.RemoveWhere(symbol => NativeLibrary.TryGetExport(handle, symbol, out _));
            }
        }
        return new ShimImports(shim, torchFolder, count, [.. open.Order(StringComparer.Ordinal)], absent);
    }

    private static bool IsOfTorch(string library) =>
        library.StartsWith("libtorch", StringComparison.Ordinal) || library.StartsWith("libc10", StringComparison.Ordinal);
}
