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

    private readonly string folder;
    private readonly StoreNames names;
    private readonly string incomplete;
    private readonly bool madeFolder;
    private readonly IStorage storage;
    private readonly List<StoredFile> stored = [];
    private readonly Stream gate;
    private bool halfReplaced;

    public StoreDraft(string folder, bool overwrite, StoreNames names, IStorage storage)
    {
        this.folder = folder;
        this.names = names;
        this.storage = storage;
        incomplete = Path.Combine(folder, Incomplete);
        bool interrupted = Directory.Exists(incomplete);
        if (!overwrite && !interrupted) RefuseToReplace();
        madeFolder = !Directory.Exists(folder);
        string lockFile = Path.Combine(incomplete, "lock");
        try
        {
            this.storage.EnsureDirectory(incomplete);
            gate = this.storage.TryLock(lockFile) ?? throw new InputException(this.folder, "is being written by another process", "a folder of its own");
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw Unwritable(e);
        }
        try
        {
            if (interrupted) PutBack();
            foreach (string left in Directory.GetFiles(incomplete).Where(file => file != lockFile)) this.storage.DeleteFile(left);
            if (!overwrite) RefuseToReplace();
        }
        catch
        {
            gate.Dispose();
            throw;
        }
    }

    public IReadOnlyList<StoredFile> Files => stored;

    /// <summary>A file of the draft that is not part of the store.</summary>
    public Stream Create(string name) => storage.Create(Path.Combine(incomplete, name));

    public ChecksummedFile Data(string name) => new(storage, incomplete, name);

    public void Add(StoredFile file) => stored.Add(file);

    public void Save(string name, string text)
    {
        using ChecksummedFile file = Data(name);
        file.Write<byte>(Encoding.UTF8.GetBytes(text));
        Add(file.Complete());
    }

    public void Commit(string manifest)
    {
        using (ChecksummedFile file = Data(this.names.Manifest))
        {
            file.Write<byte>(Encoding.UTF8.GetBytes(manifest));
            file.Complete();
        }
        Stack<(string From, string To)> done = [];
        try
        {
            // The old manifest goes first and the new one comes last: in between there is no store, never half of one.
            string[] names = [this.names.Manifest, .. this.names.Data];
            foreach (string name in names.Where(name => File.Exists(Path.Combine(folder, name))))
            {
                Move(Path.Combine(folder, name), Path.Combine(incomplete, Replaced + name));
                if (name == this.names.Manifest) storage.SyncDirectory(folder);
            }
            foreach (string name in names.Reverse())
            {
                if (name == this.names.Manifest) storage.SyncDirectory(folder);
                Move(Path.Combine(incomplete, name), Path.Combine(folder, name));
            }
            storage.SyncDirectory(folder);
        }
        catch
        {
            halfReplaced = true;
            foreach ((string from, string to) in done) storage.ReplaceFile(to, from);
            halfReplaced = false;
            throw;
        }

        void Move(string from, string to)
        {
            storage.ReplaceFile(from, to);
            done.Push((from, to));
        }
    }

    public InputException Unwritable(Exception reason) =>
        new(this.folder, "cannot be written", $"a folder for a {names.Kind}", reason.Message);

    /// <summary>Takes the draft away. What cannot be taken away is left to the next writer.</summary>
    public void Dispose()
    {
        try
        {
            // The old files are in there.
            if (halfReplaced) return;
            if (Directory.Exists(incomplete)) storage.DeleteDirectory(incomplete);
            if (madeFolder && !Directory.EnumerateFileSystemEntries(folder).Any()) storage.DeleteDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
        finally
        {
            gate.Dispose();
        }
    }

    /// <summary>Undoes a replacement that its process did not live to complete or to undo.</summary>
    private void PutBack()
    {
        if (File.Exists(Path.Combine(folder, names.Manifest))) return;
        // A draft with a manifest had all its files: those it has no more are in the store's place.
        foreach (string name in names.Data.Where(name => File.Exists(Path.Combine(incomplete, names.Manifest))))
        {
            string draft = Path.Combine(incomplete, name), place = Path.Combine(folder, name);
            if (!File.Exists(draft) && File.Exists(place)) storage.ReplaceFile(place, draft);
        }
        foreach (string name in (string[])[.. names.Data, names.Manifest])
        {
            string replaced = Path.Combine(incomplete, Replaced + name);
            if (File.Exists(replaced)) storage.ReplaceFile(replaced, Path.Combine(folder, name));
        }
    }

    private void RefuseToReplace()
    {
        if (File.Exists(Path.Combine(this.folder, names.Manifest)))
        {
            throw new InputException(this.folder, $"holds a complete {names.Kind}", "another folder", "or ask to overwrite it");
        }
        string? inTheWay = names.Data.FirstOrDefault(name => File.Exists(Path.Combine(this.folder, name)));
        if (inTheWay is not null)
        {
            throw new InputException(Path.Combine(this.folder, inTheWay), "is in the way", "a folder without it", "or ask to overwrite it");
        }
    }
}
