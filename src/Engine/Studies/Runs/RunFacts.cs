using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Files;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>What a run's model and data measure, from the real tensors and the real store; kept in the run directory.</summary>
/// <param name="Parameters">N: non-embedding parameters; for models without embeddings, all.</param>
/// <param name="Items">D: unique training tokens ([CLS] and [SEP] included) or frames.</param>
/// <param name="ItemName">tokens or frames.</param>
/// <param name="Operators">The form of its operations that it was begun with; version 0.3 did not say.</param>
public sealed record RunFacts(long Parameters, long Items, string ItemName, string? Operators = null)
{
    internal const string FileName = "facts.json";

    /// <summary>
    /// Predicted tokens of a validation molecule, [SEP] among them, on average: a validation loss times this is nats per molecule, which models of different
    /// tokens can be compared by. Null: of no molecules, or of a run of version 0.3.
    /// </summary>
    public double? TokensPerMolecule { get; init; }

    public static RunFacts Of(ITrainingTask task, Experiment experiment) =>
        new(task.NonEmbeddingParameters, task.UniqueItems, task.ItemName, Scalars.Format(experiment.Training.Operators)) { TokensPerMolecule = task.LossTermsPerDocument };

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

/// <summary>Scaling points from run directories: N, D, C = 6 N S and the least validation loss.</summary>
internal static class RunPoints
{
    /// <summary>Folder of a branch, in the directory of the run that it left.</summary>
    public const string BranchName = "cooled";

    /// <summary>Name of the loss in nats per molecule, of runs and as a column of points.</summary>
    public const string LossPerMolecule = "loss_per_molecule";

    /// <summary>Field of a language model's run: its molecules are <c>canonical</c>, written one way each, or <c>given</c>.</summary>
    public const string Writing = "writing";

    /// <summary>The directory itself where it is a run, else every run below it; branches belong to their runs.</summary>
    /// <exception cref="InputException">There is no run.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (!Directory.Exists(path)) throw new InputException(path, "no such folder", "a run directory, or a folder of them");
        if (new RunDirectory(path).IsStarted) return [path];
        string[] runs = [.. Directory.EnumerateFiles(path, "experiment.yaml", SearchOption.AllDirectories).Select(f => Path.GetDirectoryName(f)!)
            .Where(run => Path.GetFileName(run) != BranchName || !new RunDirectory(Path.GetDirectoryName(run)!).IsStarted).Order(StringComparer.Ordinal)];
        return runs.Length > 0 ? runs : throw new InputException(path, "no run below it", "folders with an experiment.yaml");
    }

    /// <summary>What a run can be selected by: every key of its experiment, and what it measures.</summary>
    public static IReadOnlyDictionary<string, string> Fields(string directory) =>
        Keys(new RunDirectory(directory), new RunDirectory(directory).ReadExperiment(), RunFacts.Read(directory));

    private static Dictionary<string, string> Keys(RunDirectory run, Experiment experiment, RunFacts facts)
    {
        var keys = new Dictionary<string, string>(ExperimentKeys.Values(experiment))
        {
            ["parameters"] = facts.Parameters.ToString(CultureInfo.InvariantCulture),
            ["items"] = facts.Items.ToString(CultureInfo.InvariantCulture),
        };
        if (run.ModelFiles.Exist && run.ModelFiles.Read().ContainsKey(LanguageModelTask.TokenizerFile))
            keys[Writing] = Tokenizer.Load(run.ModelFiles.Find(LanguageModelTask.TokenizerFile)).Notation.Canonical ? "canonical" : "given";
        return keys;
    }

    /// <param name="directory">Of a complete run.</param>
    /// <param name="perMolecule">Its loss in nats per molecule.</param>
    /// <exception cref="InputException">The run was never validated, or is of no molecules.</exception>
    public static ScalingPoint Read(string directory, bool perMolecule = false)
    {
        var run = new RunDirectory(directory);
        Experiment experiment = run.ReadExperiment();
        RunFacts facts = RunFacts.Read(directory);
        run.RequireSoundMetrics();
        LossCurve curve = LossCurve.ReadCsv(run.MetricsCsvPath);
        double loss = curve.LeastValidationLoss ?? throw new InputException(directory, "no validation loss", "a run that was validated");
        if (perMolecule)
            loss *= facts.TokensPerMolecule ?? throw new InputException(directory, "no tokens per molecule in its facts", "a run of a language model, later than version 0.3");
        long seen = run.IsDone ? run.ReadResult().ItemsSeen
            : throw new InputException(directory, "the run is not complete", "complete runs", "resume it, or name the complete ones");
        return new ScalingPoint
        {
            N = facts.Parameters,
            D = facts.Items,
            C = 6.0 * facts.Parameters * seen,
            Loss = loss,
            Seed = experiment.Seed,
            Name = Path.GetFileName(run.Path),
            Fields = Keys(run, experiment, facts),
        };
    }
}

/// <summary>Time a run has taken, from what it wrote.</summary>
internal static class RunSeconds
{
    /// <returns>Seconds at the last logged step, all sessions together; 0 where nothing was logged.</returns>
    public static double Of(string directory)
    {
        string path = new RunDirectory(directory).MetricsJsonPath;
        if (!File.Exists(path)) return 0;
        double seconds = 0;
        foreach (string line in File.ReadLines(path))
        {
            // A line that a crash cut short says nothing.
            if (line.EndsWith('}')) seconds = Math.Max(seconds, Seconds(line));
        }
        return seconds;
    }

    private static double Seconds(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.TryGetProperty("seconds", out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;
        }
        catch (JsonException)
        {
            return 0;
        }
    }
}
