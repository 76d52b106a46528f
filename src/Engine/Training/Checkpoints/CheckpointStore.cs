using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Files;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>
/// The folder of a run's checkpoints. Each is a folder of its own, written under another name, flushed to the medium and renamed as a
/// whole: it is there completely or not at all. The last two are kept, and beside them, where a run wants it, the best weights.
/// </summary>
public sealed class CheckpointStore(string folder, IStorage storage)
{
    private const int Kept = 2;
    private const int Format = 1;
    private const string Prefix = "step-";
    private const string BestPrefix = "best-";
    private const string PartialPrefix = "partial-";
    private const string DamagedPrefix = "damaged-";

    private static readonly string[] Files = [Checkpoint.ModelFile, Checkpoint.TrainingFile, Checkpoint.StateFile];

    /// <summary>Folders of finished checkpoints, newest first; whether they are sound shows when they are opened.</summary>
    public IReadOnlyList<string> List() => List(Prefix);

    /// <summary>The newest checkpoint that is sound; null where there is none at all.</summary>
    /// <param name="warn">Gets one plain line for each newer one that is damaged.</param>
    /// <exception cref="InputException">There are checkpoints and all are damaged.</exception>
    public Checkpoint? OpenNewest(Action<string> warn)
    {
        IReadOnlyList<string> candidates = List();
        var problems = new List<string>();
        foreach (string path in candidates)
        {
            try
            {
                Checkpoint sound = Read(path);
                foreach (string problem in problems) warn($"checkpoint {problem}; going back to the one before");
                return sound;
            }
            catch (SafetensorsException e)
            {
                problems.Add($"{Path.GetFileName(path)} is damaged ({e.Detail})");
            }
        }
        return candidates.Count == 0 ? null : throw new InputException(folder, $"every checkpoint is damaged: {string.Join("; ", problems)}", "",
            "restore the folder from a copy, or train again in another directory");
    }

    /// <summary>The weights of the least validation loss; null where the run keeps none or they are damaged.</summary>
    /// <param name="warn">Gets a plain line where they are damaged.</param>
    public Checkpoint? OpenBest(Action<string> warn)
    {
        if (List(BestPrefix) is not [var path, ..]) return null;
        try
        {
            return Read(path);
        }
        catch (SafetensorsException e)
        {
            warn($"{Path.GetFileName(path)} is damaged ({e.Detail}); taking the newest checkpoint");
            return null;
        }
    }

    /// <exception cref="SafetensorsException">A file is missing, damaged or not what its checksum says.</exception>
    public static Checkpoint Open(string path, CancellationToken stop = default)
    {
        VerifySums(path, stop);
        string statePath = Path.Combine(path, Checkpoint.StateFile);
        (JsonObject state, long step) = ReadState(statePath);
        var checkpoint = new Checkpoint(path, step, state);
        checkpoint.OpenModel().Dispose();
        checkpoint.OpenTraining().Dispose();
        return checkpoint;
    }

    private static (JsonObject State, long Step) ReadState(string path)
    {
        try
        {
            JsonObject state = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new SafetensorsException(SafetensorsFault.HeaderJson, path, "state.json is no object");
            int? format = (int?)state["format"];
            if (format != Format)
                throw new SafetensorsException(SafetensorsFault.Mismatch, path, $"checkpoint format {format}, this program reads {Format}");
            return (state, (long?)state["step"] ?? throw new FormatException("no step"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new SafetensorsException(SafetensorsFault.HeaderJson, path, $"state.json is not what this program writes: {e.Message}");
        }
    }

    /// <summary>Folders of all that is kept, the best weights included.</summary>
    internal IReadOnlyList<string> ListAll() => [.. List(Prefix), .. List(BestPrefix)];

    /// <summary>Reads all that is kept whole.</summary>
    /// <exception cref="InputException">The first file that is damaged.</exception>
    internal void RequireSound(CancellationToken stop)
    {
        foreach (string path in ListAll())
        {
            try
            {
                Open(path, stop);
            }
            catch (SafetensorsException e)
            {
                throw e.AsInput("the checkpoint is damaged: restore it from a copy");
            }
        }
    }

    /// <summary>Writes a checkpoint and removes all but the last two.</summary>
    /// <param name="step">Optimizer steps done.</param>
    /// <param name="model">Weights and buffers.</param>
    /// <param name="training">All other tensors.</param>
    /// <param name="state">Everything else; gets <c>format</c> and <c>step</c> added.</param>
    /// <param name="ensureHeld">Called right before the rename; its exception leaves the folder as it was.</param>
    /// <returns>Folder of the new checkpoint.</returns>
    public string Save(
        long step,
        IEnumerable<KeyValuePair<string, Tensor>> model,
        IEnumerable<KeyValuePair<string, Tensor>> training,
        JsonObject state,
        Action ensureHeld)
    {
        string saved = Save(Prefix, step, model, training, state, ensureHeld);
        Prune(Prefix, Kept);
        return saved;
    }

    /// <summary>Writes the weights of the least validation loss so far, and removes those before.</summary>
    /// <inheritdoc cref="Save(long, IEnumerable{KeyValuePair{string, Tensor}}, IEnumerable{KeyValuePair{string, Tensor}}, JsonObject, Action)"/>
    public string SaveBest(long step, IEnumerable<KeyValuePair<string, Tensor>> model, JsonObject state, Action ensureHeld)
    {
        string saved = Save(BestPrefix, step, model, [], state, ensureHeld);
        Prune(BestPrefix, 1);
        return saved;
    }

    private string Save(
        string prefix,
        long step,
        IEnumerable<KeyValuePair<string, Tensor>> model,
        IEnumerable<KeyValuePair<string, Tensor>> training,
        JsonObject state,
        Action ensureHeld)
    {
        storage.EnsureDirectory(folder);
        string partial = Path.Combine(folder, PartialPrefix + Guid.NewGuid().ToString("N"));
        storage.CreateDirectory(partial);
        state["format"] = Format;
        state["step"] = step;
        var sums = new StringBuilder();
        Write(partial, Checkpoint.ModelFile, sums, stream => SafetensorsWriter.Write(stream, model));
        Write(partial, Checkpoint.TrainingFile, sums, stream => SafetensorsWriter.Write(stream, training));
        Write(partial, Checkpoint.StateFile, sums, stream => stream.Write(Encoding.UTF8.GetBytes(state.ToJsonString(Readable))));
        Write(partial, Checkpoint.SumsFile, new StringBuilder(), stream => stream.Write(Encoding.ASCII.GetBytes(sums.ToString())));
        storage.SyncDirectory(partial);
        string final = Path.Combine(folder, prefix + step.ToString("D9", CultureInfo.InvariantCulture));
        ensureHeld();
        // Only after falling back past a damaged checkpoint of the same step can the name be taken.
        if (Directory.Exists(final)) MoveAside(final);
        storage.MoveDirectory(partial, final);
        storage.SyncDirectory(folder);
        return final;
    }

    /// <summary>Finishes what crashes left half-done, and puts aside what lies beyond a checkpoint that is being resumed from.</summary>
    /// <param name="resumedStep">Newer checkpoints (damaged ones, then) are put aside under another name; null where there is none.</param>
    public void Clean(long? resumedStep)
    {
        if (!Directory.Exists(folder)) return;
        foreach (string partial in Directory.GetDirectories(folder, PartialPrefix + "*")) storage.DeleteDirectory(partial);
        foreach (string path in List().Where(d => resumedStep is { } step && StepOf(d, Prefix) > step)) MoveAside(path);
        // The run will come to these again.
        foreach (string path in List(BestPrefix).Where(d => StepOf(d, BestPrefix) > (resumedStep ?? 0))) Remove(path);
        Prune(Prefix, Kept);
        Prune(BestPrefix, 1);
    }

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    private IReadOnlyList<string> List(string prefix)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(folder, prefix + "*").Where(d => StepOf(d, prefix) is not null).OrderByDescending(d => StepOf(d, prefix))];
        }
        catch (DirectoryNotFoundException)
        {
            // Surely none. A folder that cannot be looked into is another matter: a run that has checkpoints must not be begun anew.
            return [];
        }
    }

    /// <summary>Opens a checkpoint; what is wrong with reading is never taken for damage.</summary>
    /// <exception cref="InputException">It may not be read.</exception>
    /// <exception cref="IOException">It cannot be read, here and now.</exception>
    private static Checkpoint Read(string path)
    {
        const string Kept = "nothing older is taken instead";
        try
        {
            return Open(path);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(path, $"the checkpoint cannot be read: {e.Message}", "files that can be read", Kept);
        }
        catch (IOException e)
        {
            throw new IOException($"{path}: the checkpoint cannot be read: {e.Message}; {Kept}", e.HResult);
        }
    }

    private static long? StepOf(string path, string prefix) =>
        long.TryParse(Path.GetFileName(path)[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long step)
            ? step
            : null;

    private static void VerifySums(string path, CancellationToken stop)
    {
        string sumsPath = Path.Combine(path, Checkpoint.SumsFile);
        if (!FileErrors.Exists(sumsPath)) throw new SafetensorsException(SafetensorsFault.Truncated, sumsPath, "has no checksums");
        IReadOnlyDictionary<string, string> sums;
        try
        {
            sums = FileChecksum.ReadList(sumsPath);
        }
        catch (InputException e)
        {
            throw new SafetensorsException(SafetensorsFault.Checksum, sumsPath, $"{Checkpoint.SumsFile} is no list of checksums: {e.Found}");
        }
        foreach (string name in Files)
        {
            string file = Path.Combine(path, name);
            if (!FileErrors.Exists(file)) throw new SafetensorsException(SafetensorsFault.Truncated, file, $"{name} is missing");
            if (!sums.TryGetValue(name, out string? expected))
                throw new SafetensorsException(SafetensorsFault.Checksum, sumsPath, $"{Checkpoint.SumsFile} has no checksum of {name}");
            if (FileChecksum.Of(file, stop: stop) != expected)
                throw new SafetensorsException(SafetensorsFault.Checksum, file, $"the checksum of {name} is wrong");
        }
    }

    private void Write(string directory, string name, StringBuilder sums, Action<Stream> write)
    {
        using Stream stream = storage.Create(Path.Combine(directory, name));
        using var hashing = new HashingStream(stream);
        write(hashing);
        storage.Sync(stream);
        // The format of sha256sum, so that anybody can check.
        sums.Append(FileChecksum.Line(hashing.Digest(), name));
    }

    private void Prune(string prefix, int kept)
    {
        foreach (string old in List(prefix).Skip(kept)) Remove(old);
    }

    private void MoveAside(string path) =>
        storage.MoveDirectory(path, Path.Combine(folder, $"{DamagedPrefix}{Path.GetFileName(path)}-{Guid.NewGuid().ToString("N")[..8]}"));

    private void Remove(string path)
    {
        // Renamed first: a crash amid the deletion must not leave what looks like a checkpoint.
        string doomed = Path.Combine(folder, PartialPrefix + Guid.NewGuid().ToString("N"));
        storage.MoveDirectory(path, doomed);
        storage.DeleteDirectory(doomed);
    }
}
