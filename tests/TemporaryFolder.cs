namespace ChemScale.Tests;

/// <summary>A folder of its own for one test, gone afterwards.</summary>
/// <param name="inMemory">Where there is room: tests flush thousands of files and lose nothing by a disk that is none.</param>
internal sealed class TemporaryFolder(bool inMemory = true) : IDisposable
{
    private const string Memory = "/dev/shm";

    // Containers have 64 MB there.
    private static readonly bool HasRoom = Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > 2L << 30;

    public string Path { get; } = inMemory && HasRoom
        ? Directory.CreateDirectory(System.IO.Path.Combine(Memory, "chemscale-" + System.IO.Path.GetRandomFileName())).FullName
        : Directory.CreateTempSubdirectory("chemscale-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
