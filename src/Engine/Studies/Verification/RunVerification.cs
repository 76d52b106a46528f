using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Verification;

/// <summary>
/// One run directory: experiment, facts and result by their seals, checkpoints by their sums and against the experiment, the files of a
/// complete run by the sums in DONE; metrics without a sum against each other.
/// </summary>
internal sealed class RunVerification(string folder, Action<InputException> wrong, Action<string> count, CancellationToken stop)
{
    public const string CheckpointsName = "checkpoints";

    private const string ExperimentName = "experiment.yaml";
    private const string DoneName = "DONE";
    private const string CsvName = "metrics.csv";

    private readonly RunDirectory directory = new(folder);

    public int Checkpoints { get; private set; }

    /// <param name="files">Names in a folder.</param>
    /// <param name="folders">Names of the folders in it.</param>
    public static bool IsRun(IReadOnlyList<string> files, IReadOnlyList<string> folders) =>
        files.Any(n => n is ExperimentName or DoneName or CsvName) || folders.Contains(CheckpointsName);

    public void Verify()
    {
        Experiment? experiment = null;
        Try(ExperimentName, () => experiment = directory.ReadExperiment());
        if (In(RunFacts.FileName, out _)) Try(RunFacts.FileName, () => RunFacts.Read(folder));
        if (In(RunFailure.FileName, out string failure))
            Try(RunFailure.FileName, () => Seal.ReadJson<RunFailure>(failure, JsonSerializerOptions.Default, "why a run failed"));
        IReadOnlyDictionary<string, string> sums = new Dictionary<string, string>();
        if (directory.IsDone)
        {
            Try(DoneName, () =>
            {
                sums = directory.ReadSums();
                TrainingResult result = directory.ReadResult();
                directory.ModelFiles.RequireNone();
                if (result.Checkpoint is { } last && !Directory.Exists(Path.Combine(directory.CheckpointsPath, last)))
                    wrong(new InputException(Path.Combine(directory.CheckpointsPath, last), "is missing", $"the checkpoint that {DoneName} names"));
            });
        }
        foreach ((string name, string sha256) in sums)
        {
            count(name);
            if (FileChecksum.Fault(Path.Combine(folder, name), sha256, $"as {DoneName} says", stop: stop) is { } fault) wrong(fault);
        }
        if (!sums.ContainsKey(CsvName)) CompareMetrics();
        foreach (string path in directory.Checkpoints().ListAll()) VerifyCheckpoint(path, experiment);
    }

    private void VerifyCheckpoint(string path, Experiment? experiment)
    {
        Checkpoints++;
        foreach (string file in Directory.EnumerateFiles(path)) count(Path.GetRelativePath(folder, file));
        try
        {
            Checkpoint checkpoint = CheckpointStore.Open(path, stop);
            string state = Path.Combine(path, Checkpoint.StateFile);
            if (!checkpoint.Name.EndsWith(checkpoint.Step.ToString("D9", CultureInfo.InvariantCulture), StringComparison.Ordinal))
                wrong(new InputException(state, $"step {checkpoint.Step}", $"that of {checkpoint.Name}"));
            if (experiment is not null && checkpoint.OtherThan(experiment.Id, directory.ExperimentPath) is { } other) wrong(other);
        }
        catch (Exception e) when (e is SafetensorsException or IOException or UnauthorizedAccessException)
        {
            // A run at work replaces its checkpoints.
            if (!Directory.Exists(path)) return;
            wrong(e is SafetensorsException damaged ? damaged.AsInput() : new UnreadableException(path, "a checkpoint", e));
        }
    }

    /// <summary>Every loss stands in metrics.csv and in metrics.jsonl; one of them may be a row ahead while the run is at work.</summary>
    private void CompareMetrics()
    {
        if (!In(CsvName, out string csv) || !In("metrics.jsonl", out string json))
        {
            bool one = In(CsvName, out _) != In("metrics.jsonl", out _);
            if (directory.IsDone || one) wrong(new InputException(folder, $"a run {(one ? "with one of" : "without")} metrics.csv and metrics.jsonl", "both"));
            return;
        }
        count(CsvName);
        count("metrics.jsonl");
        try
        {
            using IEnumerator<string> rows = File.ReadLines(csv).GetEnumerator();
            if (!rows.MoveNext()) return;
            if (rows.Current != "epoch,step,train_loss_step,train_loss_epoch,val_loss") throw new InputException($"{csv}:1", $"'{rows.Current}'", "the names of the columns");
            int line = 1;
            foreach (string record in File.ReadLines(json))
            {
                stop.ThrowIfCancellationRequested();
                if (!rows.MoveNext()) break;
                line++;
                if (RowOf(record) is not { } expected) throw new InputException($"{json}:{line - 1}", "no record of a step, a validation or an epoch", "JSON with numbers");
                if (Numbers(rows.Current) is not { } found || !found.SequenceEqual(expected))
                    throw new InputException($"{csv}:{line}", $"'{rows.Current}'", $"the numbers of line {line - 1} of metrics.jsonl");
            }
            // One row ahead may be of a crash between the two files.
            if (rows.MoveNext() && rows.MoveNext()) throw new InputException($"{csv}:{line + 2}", "a row that metrics.jsonl lacks", "the same rows in both");
        }
        catch (InputException e)
        {
            // The last line of a run at work may be half written.
            if (directory.IsDone || RunClaim.HolderOf(folder) is not { Abandoned: false }) wrong(e);
        }
    }

    /// <summary>Epoch, step and the three losses of a record; NaN where a column is empty.</summary>
    private static double[]? RowOf(string record)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(record, new JsonDocumentOptions { AllowDuplicateProperties = false });
            JsonElement root = json.RootElement;
            double Number(string key) => root.TryGetProperty(key, out JsonElement value)
                ? value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.Parse(value.GetString()!, CultureInfo.InvariantCulture)
                : throw new FormatException($"no {key}");
            return root.GetProperty("kind").GetString() switch
            {
                "step" => [Number("epoch"), Number("step"), Number("train_loss"), double.NaN, double.NaN],
                "epoch" => [Number("epoch"), Number("step"), double.NaN, Number("train_loss"), double.NaN],
                "validation" => [Number("epoch"), Number("step"), double.NaN, double.NaN, Number("val_loss")],
                _ => null,
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static double[]? Numbers(string row)
    {
        string[] cells = row.Split(',');
        var numbers = new double[cells.Length];
        for (int i = 0; i < cells.Length; i++)
        {
            if (cells[i].Length == 0) numbers[i] = double.NaN;
            else if (!double.TryParse(cells[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])) return null;
        }
        return numbers;
    }

    private bool In(string name, out string path) => File.Exists(path = Path.Combine(folder, name));

    private void Try(string name, Action read)
    {
        count(name);
        try
        {
            read();
        }
        catch (InputException e)
        {
            wrong(e);
        }
    }
}
