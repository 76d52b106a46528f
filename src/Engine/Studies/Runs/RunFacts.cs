using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>What a run's model and data measure, from the real tensors and the real store; kept in the run directory.</summary>
/// <param name="Parameters">N: non-embedding parameters; for models without embeddings, all.</param>
/// <param name="Items">D: unique training tokens ([CLS] and [SEP] included) or frames.</param>
/// <param name="ItemName">tokens or frames.</param>
/// <param name="Operators">The form of its operations that it was begun with; version 0.3 did not say.</param>
public sealed record RunFacts(long Parameters, long Items, string ItemName, string? Operators = null)
{
    internal const string FileName = "facts.json";

    public static RunFacts Of(ITrainingTask task, Experiment experiment) =>
        new(task.NonEmbeddingParameters, task.UniqueItems, task.ItemName, Scalars.Format(experiment.Training.Operators));

    /// <summary>
    /// Writes them beside the run's experiment, once: as it was begun, wherever it has been gone on with. Before the run can be complete:
    /// what follows that may never come to be written.
    /// </summary>
    public static void Keep(ITrainingTask task, Experiment experiment, RunDirectory directory) =>
        directory.Keep(FileName, () => Seal.Json(JsonSerializer.SerializeToUtf8Bytes(Of(task, directory.IsStarted ? directory.ReadExperiment() : experiment))));

    /// <exception cref="InputException">The directory is no run, or one that was never trained.</exception>
    public static RunFacts Read(string directory)
    {
        string path = Path.Combine(directory, FileName);
        try
        {
            return Seal.ReadJson<RunFacts>(path, JsonSerializerOptions.Default, "the facts of a run");
        }
        catch (UnreadableException)
        {
            throw new InputException(new RunDirectory(directory).Path, $"no readable {FileName}", "the run directory of a training");
        }
    }
}
