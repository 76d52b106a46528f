using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>What a run's model and data measure, from the real tensors and the real store; kept in the run directory.</summary>
/// <param name="Parameters">N: non-embedding parameters; for models without embeddings, all.</param>
/// <param name="Items">D: unique training tokens ([CLS] and [SEP] included) or frames.</param>
/// <param name="ItemName">tokens or frames.</param>
public sealed record RunFacts(long Parameters, long Items, string ItemName)
{
    internal const string FileName = "facts.json";

    public static RunFacts Of(ITrainingTask task) => task switch
    {
        LanguageModelTask language => new RunFacts(language.ChemGpt.NonEmbeddingParameters, language.UniqueTokens, language.ItemName),
        ForceFieldTask field => new RunFacts(field.ForceField.NonEmbeddingParameters, field.UniqueFrames, field.ItemName),
        _ => throw new ArgumentException($"no facts are known of a {task.GetType().Name}", nameof(task)),
    };

    /// <summary>Writes them beside the run's experiment, once.</summary>
    public static void Keep(ITrainingTask task, string directory)
    {
        string path = Path.Combine(directory, FileName), temporary = $"{path}.{Environment.ProcessId}";
        if (File.Exists(path)) return;
        File.WriteAllBytes(temporary, Seal.Json(JsonSerializer.SerializeToUtf8Bytes(Of(task))));
        File.Move(temporary, path, overwrite: true);
    }

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
