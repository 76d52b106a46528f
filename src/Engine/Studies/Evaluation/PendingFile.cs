using System.Text;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// A text file that appears complete or not at all. Given up, it leaves neither itself nor a folder that was made for it.
/// </summary>
internal sealed class PendingFile : IDisposable
{
    private readonly string _path;
    private readonly string _folder;
    private readonly string _temporary;
    private readonly bool _madeFolder;
    private bool _closed;

    /// <exception cref="InputException">The folder cannot be written.</exception>
    public PendingFile(string path)
    {
        _path = path;
        _folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        _temporary = $"{path}.{Guid.NewGuid():N}.incomplete";
        try
        {
            if (Directory.Exists(path)) throw new InputException(path, "a folder", "a file");
            _madeFolder = !Directory.Exists(_folder);
            Directory.CreateDirectory(_folder);
            Writer = new StreamWriter(_temporary, append: false, new UTF8Encoding(false), bufferSize: 1 << 16);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(path, "cannot be written", "a file in a folder that can be written to", e.Message);
        }
    }

    public StreamWriter Writer { get; }

    /// <summary>Renames the file into place.</summary>
    public void Complete()
    {
        Writer.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        _closed = true;
    }

    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        Writer.Dispose();
        File.Delete(_temporary);
        if (_madeFolder && !Directory.EnumerateFileSystemEntries(_folder).Any()) Directory.Delete(_folder);
    }
}
