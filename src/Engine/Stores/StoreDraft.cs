using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Stores;

/// <summary>
/// A store that is being written, in a folder of its own inside the store's. <see cref="Commit"/> moves what is in the way aside, the
/// new files in, the manifest last, and undoes all of it where a step fails. Where that fails too, or the process dies amid it, the next
/// writer does it.
/// </summary>
internal sealed class StoreDraft : IDisposable
{
    /// <summary>Everything is written here first; what is left of an interrupted writer is here too.</summary>
    private const string Incomplete = ".incomplete";

    private const string Replaced = "replaced-";

    private readonly string _folder;
    private readonly StoreNames _names;
    private readonly string _incomplete;
    private readonly bool _madeFolder;
    private readonly IStorage _storage;
    private readonly List<StoredFile> _stored = [];
    private readonly Stream _lock;
    private bool _halfReplaced;

    public StoreDraft(string folder, bool overwrite, StoreNames names, IStorage storage)
    {
        _folder = folder;
        _names = names;
        _storage = storage;
        _incomplete = Path.Combine(folder, Incomplete);
        bool interrupted = Directory.Exists(_incomplete);
        if (!overwrite && !interrupted) RefuseToReplace();
        _madeFolder = !Directory.Exists(folder);
        string lockFile = Path.Combine(_incomplete, "lock");
        try
        {
            _storage.EnsureDirectory(_incomplete);
            _lock = _storage.TryLock(lockFile) ?? throw new InputException(_folder, "is being written by another process", "a folder of its own");
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw Unwritable(e);
        }
        try
        {
            if (interrupted) PutBack();
            foreach (string left in Directory.GetFiles(_incomplete).Where(file => file != lockFile)) _storage.DeleteFile(left);
            if (!overwrite) RefuseToReplace();
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public IReadOnlyList<StoredFile> Files => _stored;

    /// <summary>A file of the draft that is not part of the store.</summary>
    public Stream Create(string name) => _storage.Create(Path.Combine(_incomplete, name));

    public ChecksummedFile Data(string name) => new(_storage, _incomplete, name);

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
                Move(Path.Combine(_folder, name), Path.Combine(_incomplete, Replaced + name));
                if (name == _names.Manifest) _storage.SyncDirectory(_folder);
            }
            foreach (string name in names.Reverse())
            {
                if (name == _names.Manifest) _storage.SyncDirectory(_folder);
                Move(Path.Combine(_incomplete, name), Path.Combine(_folder, name));
            }
            _storage.SyncDirectory(_folder);
        }
        catch
        {
            _halfReplaced = true;
            foreach ((string from, string to) in done) _storage.ReplaceFile(to, from);
            _halfReplaced = false;
            throw;
        }

        void Move(string from, string to)
        {
            _storage.ReplaceFile(from, to);
            done.Push((from, to));
        }
    }

    public InputException Unwritable(Exception reason) =>
        new(_folder, "cannot be written", $"a folder for a {_names.Kind}", reason.Message);

    /// <summary>Takes the draft away. What cannot be taken away is left to the next writer.</summary>
    public void Dispose()
    {
        try
        {
            // The old files are in there.
            if (_halfReplaced) return;
            if (Directory.Exists(_incomplete)) _storage.DeleteDirectory(_incomplete);
            if (_madeFolder && !Directory.EnumerateFileSystemEntries(_folder).Any()) _storage.DeleteDirectory(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
        finally
        {
            _lock.Dispose();
        }
    }

    /// <summary>Undoes a replacement that its process did not live to complete or to undo.</summary>
    private void PutBack()
    {
        if (File.Exists(Path.Combine(_folder, _names.Manifest))) return;
        // A draft with a manifest had all its files: those it has no more are in the store's place.
        foreach (string name in _names.Data.Where(name => File.Exists(Path.Combine(_incomplete, _names.Manifest))))
        {
            string draft = Path.Combine(_incomplete, name), place = Path.Combine(_folder, name);
            if (!File.Exists(draft) && File.Exists(place)) _storage.ReplaceFile(place, draft);
        }
        foreach (string name in (string[])[.. _names.Data, _names.Manifest])
        {
            string replaced = Path.Combine(_incomplete, Replaced + name);
            if (File.Exists(replaced)) _storage.ReplaceFile(replaced, Path.Combine(_folder, name));
        }
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
}
