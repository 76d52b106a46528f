using System.Text;

namespace ChemScale.Engine.Stores;

/// <summary>
/// A store that is being written, in a folder of its own inside the store's. <see cref="Commit"/> moves what is in the way aside, the
/// new files in, the manifest last, and undoes all of it where a step fails.
/// </summary>
internal sealed class StoreDraft : IDisposable
{
    /// <summary>Everything is written here first; what is left of an interrupted writer is here too.</summary>
    private const string Incomplete = ".incomplete";

    private readonly string _folder;
    private readonly StoreNames _names;
    private readonly string _incomplete;
    private readonly bool _madeFolder;
    private readonly StoreFolder _files;
    private readonly List<StoredFile> _stored = [];
    private readonly FileStream _lock;

    public StoreDraft(string folder, bool overwrite, StoreNames names, StoreFolder files)
    {
        _folder = folder;
        _names = names;
        _files = files;
        _incomplete = Path.Combine(folder, Incomplete);
        if (!overwrite) RefuseToReplace();
        _madeFolder = !Directory.Exists(folder);
        try
        {
            Directory.CreateDirectory(_incomplete);
            _lock = Claim();
            foreach (string left in Directory.EnumerateFiles(_incomplete).Where(file => file != _lock.Name)) File.Delete(left);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    public IReadOnlyList<StoredFile> Files => _stored;

    /// <summary>A file of the draft that is not part of the store.</summary>
    public Stream Create(string name) => _files.Create(Path.Combine(_incomplete, name));

    public ChecksummedFile Data(string name) => new(_files, _incomplete, name);

    public void Add(StoredFile file) => _stored.Add(file);

    public void Save(string name, string text)
    {
        using ChecksummedFile file = Data(name);
        file.Write<byte>(Encoding.UTF8.GetBytes(text));
        Add(file.Complete());
    }

    public void Commit(string manifest)
    {
        using (ChecksummedFile file = Data(_names.Manifest))
        {
            file.Write<byte>(Encoding.UTF8.GetBytes(manifest));
            file.Complete();
        }
        Stack<(string From, string To)> done = [];
        try
        {
            // The old manifest goes first and the new one comes last: in between there is no store, never half of one.
            string[] names = [_names.Manifest, .. _names.Data];
            foreach (string name in names.Where(name => File.Exists(Path.Combine(_folder, name))))
            {
                Move(Path.Combine(_folder, name), Path.Combine(_incomplete, $"replaced-{name}"));
            }
            foreach (string name in names.Reverse()) Move(Path.Combine(_incomplete, name), Path.Combine(_folder, name));
        }
        catch
        {
            foreach ((string from, string to) in done) File.Move(to, from);
            throw;
        }

        void Move(string from, string to)
        {
            _files.Move(from, to);
            done.Push((from, to));
        }
    }

    public InputException Unwritable(Exception reason) =>
        new(_folder, "cannot be written", $"a folder for a {_names.Kind}", reason.Message);

    public void Dispose()
    {
        _lock.Dispose();
        if (Directory.Exists(_incomplete)) Directory.Delete(_incomplete, recursive: true);
        if (_madeFolder && !Directory.EnumerateFileSystemEntries(_folder).Any()) Directory.Delete(_folder);
    }

    private void RefuseToReplace()
    {
        if (File.Exists(Path.Combine(_folder, _names.Manifest)))
        {
            throw new InputException(_folder, $"holds a complete {_names.Kind}", "another folder", "or ask to overwrite it");
        }
        string? inTheWay = _names.Data.FirstOrDefault(name => File.Exists(Path.Combine(_folder, name)));
        if (inTheWay is not null)
        {
            throw new InputException(Path.Combine(_folder, inTheWay), "is in the way", "a folder without it", "or ask to overwrite it");
        }
    }

    private FileStream Claim()
    {
        string path = Path.Combine(_incomplete, "lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new InputException(_folder, "is being written by another process", "a folder of its own");
        }
    }
}
