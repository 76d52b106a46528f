using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Storage;

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

    public bool IsStarted => File.Exists(ExperimentPath);

    public bool IsDone => File.Exists(DonePath);

    internal IStorage Storage { get; } = storage ?? new DiskStorage();

    internal TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <exception cref="InputException">There is no run, or its experiment cannot be read.</exception>
    public Experiment ReadExperiment() => Experiment.Read(ExperimentPath);

    /// <exception cref="InputException">The run is not complete, or its result cannot be read.</exception>
    public TrainingResult ReadResult()
    {
        try
        {
            return JsonSerializer.Deserialize<TrainingResult>(File.ReadAllBytes(DonePath), ResultJson)
                ?? throw new InputException(DonePath, "holds no result");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InputException(DonePath, e.Message, "the result of a complete run");
        }
    }

    /// <exception cref="InputException">A run, complete or not, or something else is there.</exception>
    public void RequireNew()
    {
        if (IsDone) throw new InputException(Path, "holds a complete run", "an empty or new folder", "choose another directory");
        if (IsStarted) throw new InputException(Path, "holds an unfinished run", "an empty or new folder", "resume it, or choose another directory");
        if (File.Exists(MetricsCsvPath)) throw new InputException(Path, "holds the metrics of something that is not a run of this program", "an empty or new folder");
    }

    /// <summary>Checkpoints to read from: generation, embedding, evaluation.</summary>
    public CheckpointStore Checkpoints() => new(CheckpointsPath, Storage);

    /// <summary>Makes the folder where there is none and claims the right to write to it.</summary>
    /// <exception cref="InputException">It cannot be written to, or somebody else is writing.</exception>
    public RunClaim Claim()
    {
        try
        {
            Storage.CreateDirectory(Path);
            return RunClaim.Take(Path, Storage, Time);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(Path, e.Message, "a folder that can be written to");
        }
    }

    /// <summary>As <see cref="Claim"/>, but null where somebody else is writing.</summary>
    /// <exception cref="InputException">It cannot be written to.</exception>
    public RunClaim? TryClaim()
    {
        try
        {
            return Claim();
        }
        catch (RunClaimedException)
        {
            return null;
        }
    }

    internal void WriteExperiment(Experiment experiment) =>
        Storage.WriteAtomically(ExperimentPath, Encoding.UTF8.GetBytes(experiment.ToYaml()));

    internal void WriteResult(TrainingResult result) =>
        Storage.WriteAtomically(DonePath, JsonSerializer.SerializeToUtf8Bytes(result, ResultJson));

    internal string In(string name) => System.IO.Path.Combine(Path, name);
}
