using System.Security.Cryptography;
using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Training.Runs;

/// <summary>
/// What a run's model needs beside its weights, such as a tokenizer: in the run's folder <c>model</c>, with <c>SHA256SUMS</c>, from before
/// the first step on. With it a run can be used wherever it is copied to, without the store it was trained on.
/// </summary>
public sealed class ModelFiles
{
    internal const string FolderName = "model";
    internal const string SumsFile = "SHA256SUMS";

    private readonly RunDirectory run;
    private readonly string folder;

    internal ModelFiles(RunDirectory run)
    {
        this.run = run;
        folder = run.In(FolderName);
    }

    /// <summary>False for runs whose model needs none, and for those of version 0.3.</summary>
    public bool Exist => Directory.Exists(folder);

    /// <summary>A run of this version, of a family whose model needs files, has lost them.</summary>
    /// <exception cref="InputException">They are missing.</exception>
    internal void RequireNone()
    {
        if (!Exist && run.IsDone && run.ReadSums().Count > 0 && run.ReadExperiment().Model.Family.KeepsFiles)
            throw new InputException(folder, "is missing", "the files of the run's model", "restore it from a copy of the run");
    }

    /// <summary>Path of a file, whose content was found to be what it was when it was written.</summary>
    /// <exception cref="InputException">It is missing, or its content is another.</exception>
    public string Find(string name)
    {
        Read().TryGetValue(name, out byte[]? content);
        return content is not null ? Path.Combine(folder, name) : throw new InputException(Path.Combine(folder, name), "is missing", "a file of the run's model");
    }

    /// <summary>Every file with its content, checksums compared.</summary>
    /// <exception cref="InputException">A file that is missing, unreadable or not what its checksum says.</exception>
    public IReadOnlyDictionary<string, byte[]> Read()
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        string place = Path.Combine(folder, SumsFile);
        try
        {
            foreach (string line in File.ReadAllLines(place))
            {
                if (line.Split("  ", 2) is not [var digest, var name] || name != Path.GetFileName(name)) throw new InputException(
                    place, $"'{line}'", "a checksum and the name of a file");
                place = Path.Combine(folder, name);
                byte[] content = File.ReadAllBytes(place);
                if (Digest(content) != digest) throw new InputException(
                    place, "its checksum is wrong", $"SHA-256 {digest}", "restore it from a copy of the run, or resume the run");
                files[name] = content;
            }
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(place, e.Message, "a file of the run's model");
        }
        return files;
    }

    /// <summary>Writes them, durably. Files that are there already stay, unless they are damaged.</summary>
    /// <param name="files">Content by name; none: nothing is written.</param>
    /// <param name="begun">Whether the run has begun: then other sound files are a mistake, else they are left from a start that failed.</param>
    /// <param name="warn">Gets a line where files were damaged.</param>
    /// <exception cref="InputException">The run's model has other files.</exception>
    internal void Keep(IReadOnlyDictionary<string, byte[]> files, bool begun, Action<string> warn)
    {
        if (files.Count == 0) return;
        if (begun && Sound(warn) is { } there)
        {
            if (there.Count == files.Count && files.All(f => there.TryGetValue(f.Key, out byte[]? content) && content.AsSpan().SequenceEqual(f.Value)))
            {
                Remember(files);
                return;
            }
            throw new InputException(folder, "is of another model", "the files that the run began with", "train on these data in another directory");
        }
        IStorage storage = run.Storage;
        storage.CreateDirectory(folder);
        TemporaryNames.CleanOwned(folder, storage);
        var sums = new StringBuilder();
        foreach ((string name, byte[] content) in files)
        {
            storage.WriteAtomically(Path.Combine(folder, name), content);
            // The format of sha256sum, so that anybody can check.
            sums.Append(Digest(content)).Append("  ").Append(name).Append('\n');
        }
        // Last: sums that can be seen are of whole files.
        storage.WriteAtomically(Path.Combine(folder, SumsFile), Encoding.UTF8.GetBytes(sums.ToString()));
        storage.SyncDirectory(run.Path);
        Remember(files);
    }

    private void Remember(IReadOnlyDictionary<string, byte[]> files)
    {
        foreach ((string name, byte[] content) in files) run.Remember(Path.Combine(FolderName, name), content);
        run.Remember(Path.Combine(FolderName, SumsFile), File.ReadAllBytes(Path.Combine(folder, SumsFile)));
    }

    /// <summary>Null where there are none, or damaged ones.</summary>
    private IReadOnlyDictionary<string, byte[]>? Sound(Action<string> warn)
    {
        if (!Exist) return null;
        try
        {
            return Read();
        }
        catch (InputException e)
        {
            warn($"{e.Place}: {e.Found}; written again");
            return null;
        }
    }

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
