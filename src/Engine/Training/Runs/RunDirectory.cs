using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Runs;

/// <summary>
/// The folder of one run, all that is left of it and all that later stages read: <c>experiment.yaml</c>, <c>metrics.csv</c>,
/// <c>metrics.jsonl</c>, TensorBoard events, <c>checkpoints/</c>, <c>model/</c> and, when the run is complete, <c>DONE</c>.
/// </summary>
public sealed class RunDirectory(string path, IStorage? storage = null, TimeProvider? time = null)
{
    private static readonly JsonSerializerOptions ResultJson = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly JsonSerializerOptions StrictResult = new(ResultJson)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>In DONE, beside the result.</summary>
    private const string FilesKey = "files";

    /// <summary>Marks a run whose weights were not trained there: says where they are from.</summary>
    internal const string ImportedFile = "imported.json";

    private readonly Dictionary<string, byte[]> kept = new(StringComparer.Ordinal);

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string ExperimentPath => In("experiment.yaml");

    /// <summary>Columns <c>epoch,step,train_loss_step,train_loss_epoch,val_loss</c>.</summary>
    public string MetricsCsvPath => In("metrics.csv");

    /// <summary>One JSON object a line, with everything that was measured.</summary>
    public string MetricsJsonPath => In("metrics.jsonl");

    public string CheckpointsPath => In("checkpoints");

    /// <summary>Exists when, and only when, the run is complete; holds its result.</summary>
    public string DonePath => In("DONE");

    /// <summary>What the model needs beside its weights.</summary>
    public ModelFiles ModelFiles => new(this);

    public bool IsStarted => FileErrors.Exists(ExperimentPath);

    public bool IsDone => FileErrors.Exists(DonePath);

    /// <summary>True where the weights come from elsewhere: there is no training to go on with.</summary>
    public bool IsImported => FileErrors.Exists(In(ImportedFile));

    internal IStorage Storage { get; } = storage ?? DiskStorage.Shared;

    internal TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <exception cref="InputException">There is no run, or its experiment cannot be read.</exception>
    public Experiment ReadExperiment() => Experiment.ReadSealed(ExperimentPath);

    /// <exception cref="InputException">The run is not complete, or its result cannot be read.</exception>
    public TrainingResult ReadResult() => ReadDone().Result;

    /// <summary>Names and checksums of the files that were final when the run was complete; none where an earlier version wrote it.</summary>
    /// <exception cref="InputException">The run is not complete, or its result cannot be read.</exception>
    internal IReadOnlyDictionary<string, string> ReadSums() => ReadDone().Files;

    /// <summary>The losses of a complete run are those it was completed with.</summary>
    /// <exception cref="InputException">metrics.csv has other bytes than DONE says.</exception>
    internal void RequireSoundMetrics()
    {
        if (IsDone && ReadSums().TryGetValue(System.IO.Path.GetFileName(MetricsCsvPath), out string? sha256)
            && FileChecksum.Fault(MetricsCsvPath, sha256, "as DONE says") is { } fault) throw fault;
    }

    /// <exception cref="InputException">A run, complete or not, or something else is there.</exception>
    public void RequireNew()
    {
        if (IsDone) throw new InputException(Path, "holds a complete run", "an empty or new folder", "choose another directory");
        if (IsStarted) throw new InputException(Path, "holds an unfinished run", "an empty or new folder", "resume it, or choose another directory");
        if (FileErrors.Exists(MetricsCsvPath)) throw new InputException(Path, "holds the metrics of something that is not a run of this program", "an empty or new folder");
    }

    /// <summary>Checkpoints to read from: generation, embedding, evaluation.</summary>
    public CheckpointStore Checkpoints() => new(CheckpointsPath, Storage);

    /// <summary>Reads everything of a complete run that later stages use: experiment, result, the model's files, the weights of every checkpoint.</summary>
    /// <exception cref="InputException">The first thing that is damaged.</exception>
    internal TrainingResult ReadSoundResult(CancellationToken stop)
    {
        ReadExperiment();
        TrainingResult result = ReadResult();
        if (ModelFiles.Exist) ModelFiles.Read();
        else ModelFiles.RequireNone();
        Checkpoints().RequireSound(stop);
        return result;
    }

    /// <summary>Makes the folder where there is none and claims the right to write to it.</summary>
    /// <param name="watch">As for <see cref="RunClaim.Take"/>.</param>
    /// <param name="waiting">Told where a claim is watched that may be abandoned.</param>
    /// <param name="stop">Ends the watching.</param>
    /// <exception cref="InputException">It cannot be written to, or somebody else is writing.</exception>
    public RunClaim Claim(ClaimWatch? watch = null, Action<string>? waiting = null, CancellationToken stop = default)
    {
        RunClaim claim;
        try
        {
            Storage.EnsureDirectory(Path);
            claim = RunClaim.Take(Path, Storage, Time, watch, waiting, stop);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(Path, e.Message, "a folder that can be written to");
        }
        try
        {
            // It is ours alone now.
            TemporaryNames.CleanOwned(Path, Storage);
        }
        catch
        {
            claim.Dispose();
            throw;
        }
        return claim;
    }

    /// <summary>As <see cref="Claim"/>, but null where somebody else is writing, or may be.</summary>
    /// <param name="watch">What the caller has seen so far; it does not wait here.</param>
    /// <exception cref="InputException">It cannot be written to.</exception>
    public RunClaim? TryClaim(ClaimWatch? watch = null)
    {
        try
        {
            return Claim(watch ?? new ClaimWatch(Time));
        }
        catch (RunClaimedException)
        {
            return null;
        }
    }

    /// <summary>
    /// Puts a file in that the run is to carry, unless it is there already. Call it under the claim. It is kept in mind: where it is missing
    /// when the run is complete, it is written again.
    /// </summary>
    /// <param name="name">Within the directory.</param>
    /// <param name="content">Made only where it is not there.</param>
    public void Keep(string name, Func<byte[]> content)
    {
        string file = In(name);
        if (FileErrors.Exists(file))
        {
            kept[name] = File.ReadAllBytes(file);
            return;
        }
        Storage.EnsureDirectory(System.IO.Path.GetDirectoryName(file)!);
        Storage.WriteAtomically(file, kept[name] = content());
    }

    /// <summary>As <see cref="Keep"/>, of what is there already.</summary>
    internal void Remember(string name, byte[] content) => kept[name] = content;

    /// <summary>Everything that was put in is there and is what it was; what is missing is written again.</summary>
    /// <exception cref="RunFilesLostException">A file holds something else.</exception>
    internal void EnsureKept(Action<string> warn)
    {
        foreach ((string name, byte[] content) in kept)
        {
            string file = In(name);
            if (!FileErrors.Exists(file))
            {
                warn($"{file} was deleted while the run was at work; it is written again");
                Storage.EnsureDirectory(System.IO.Path.GetDirectoryName(file)!);
                Storage.WriteAtomically(file, content);
            }
            else if (!File.ReadAllBytes(file).AsSpan().SequenceEqual(content))
            {
                throw new RunFilesLostException(file, "was changed while the run was at work");
            }
        }
    }

    internal void KeepExperiment(Experiment experiment) => Keep(System.IO.Path.GetFileName(ExperimentPath), () => Seal.Yaml(experiment.ToYaml()));

    /// <summary>Completes the run: the result, and a checksum of every file that is final from here on.</summary>
    internal void WriteResult(TrainingResult result)
    {
        JsonObject json = JsonSerializer.SerializeToNode(result, ResultJson)!.AsObject();
        json[FilesKey] = new JsonObject(Directory.EnumerateFiles(Path).Select(file => System.IO.Path.GetFileName(file)).Where(IsFinal)
            .Order(StringComparer.Ordinal).Select(name => KeyValuePair.Create(name, (JsonNode?)FileChecksum.Of(In(name)))));
        try
        {
            Storage.WriteAtomically(DonePath, Seal.Json(json.ToJsonString(ResultJson)));
        }
        catch
        {
            // Renamed, and then its folder could not be flushed: it says what is not sure.
            if (File.Exists(DonePath)) Storage.DeleteFile(DonePath);
            throw;
        }
    }

    /// <summary>Not claims, not what is half written, not what has a seal of its own and may come later.</summary>
    private static bool IsFinal(string name) => name is not ("DONE" or "FAILED" or "facts.json") && !name.StartsWith('.')
        && !name.StartsWith("claim.", StringComparison.Ordinal) && !name.Contains(".partial", StringComparison.Ordinal);

    private (TrainingResult Result, IReadOnlyDictionary<string, string> Files) ReadDone()
    {
        const string Expected = "the result of a complete run";
        JsonObject json = Seal.ReadJson<JsonObject>(DonePath, ResultJson, Expected);
        try
        {
            Dictionary<string, string> files = json[FilesKey].Deserialize<Dictionary<string, string>>() ?? [];
            json.Remove(FilesKey);
            return (json.Deserialize<TrainingResult>(StrictResult) ?? throw new InputException(DonePath, "holds no result"), files);
        }
        catch (JsonException e)
        {
            throw new InputException(DonePath, e.Message, Expected);
        }
    }

    internal string In(string name) => System.IO.Path.Combine(Path, name);
}
