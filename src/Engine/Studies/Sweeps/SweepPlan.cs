using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>
/// What a sweep consists of, as a folder: <c>plan/plan.json</c> and an experiment file a run. A worker, here or on another machine, needs the
/// folder and at most an index; where the runs stand is in their directories and nowhere else.
/// </summary>
/// <param name="Directory">Of the plan; each run gets a folder below.</param>
/// <param name="Runs">By index.</param>
/// <param name="Selection">Null: every run to its end.</param>
/// <param name="Default">What a selection has to beat.</param>
public sealed record SweepPlan(string Directory, IReadOnlyList<PlannedRun> Runs, SelectionSpec? Selection = null, Configuration? Default = null)
{
    internal const string FolderName = "plan";
    internal const string PlanName = "plan.json";
    internal const string SelectionName = "selection.json";

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Steps of a search over these runs; null where the plan has none.</summary>
    public RunSelection? Search => Selection is null ? null : new RunSelection(Runs, Selection, Default);

    private string PlanFolder => Path.Combine(Directory, FolderName);

    private string PlanFile => Path.Combine(PlanFolder, PlanName);

    /// <summary>Runs kept by a selection, by index; null before it.</summary>
    public IReadOnlyList<int>? Kept
    {
        get
        {
            string path = Path.Combine(PlanFolder, SelectionName);
            if (!File.Exists(path)) return null;
            IReadOnlyList<int> kept = Read<KeptRuns>(path).Kept;
            foreach (int run in kept)
                if (run < 0 || run >= Runs.Count) throw new InputException(path, $"run {run}", $"indices of the plan's {Runs.Count} runs");
            return kept;
        }
    }

    /// <summary>The plan of a folder.</summary>
    /// <exception cref="InputException">There is none, or it cannot be read.</exception>
    public static SweepPlan Read(string directory)
    {
        directory = Path.GetFullPath(directory);
        var empty = new SweepPlan(directory, []);
        if (!File.Exists(empty.PlanFile)) throw new InputException(directory, "no plan of a sweep", "a folder that sweep or tpe has planned");
        Content content = Read<Content>(empty.PlanFile);
        PlannedRun[] runs =
        [
            .. content.Runs.Select(run =>
            {
                // A name that is a path would have a worker write wherever whoever wrote the plan likes.
                if (run.Name.Length == 0 || run.Name is "." or ".." or FolderName || run.Name.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) >= 0)
                    throw new InputException(empty.PlanFile, $"a run named '{run.Name}'", "the name of a folder below the plan's");
                string file = empty.ExperimentFile(run.Name);
                Experiment experiment = Experiment.ReadSealed(file);
                return experiment.Id == run.Id ? new PlannedRun(run.Name, experiment, Path.Combine(directory, run.Name))
                    : throw new InputException(file, $"experiment {experiment.Id}", $"{run.Id}, as planned", "plan a new sweep instead of editing one");
            }),
        ];
        return new SweepPlan(directory, runs, content.Selection, content.Default);
    }

    /// <summary>
    /// Writes the plan. What is planned there already stays, by the same indices: the same plan again changes no run, only where and how safely
    /// they run (device, threads, checkpoints), and further runs are added.
    /// </summary>
    /// <returns>All that is planned there now.</returns>
    /// <exception cref="InputException">The folder holds other runs of the same names, or another search.</exception>
    public SweepPlan Write() => Write(DiskStorage.Shared);

    internal SweepPlan Write(IStorage storage)
    {
        SweepPlan whole = File.Exists(PlanFile) ? JoinedTo(Read(Directory)) : this;
        storage.EnsureDirectory(PlanFolder);
        if (Selection is not null) UsualEstimator.Keep(Directory, Selection.Estimator, storage);
        whole.WriteExperiments(storage);
        var content = new Content([.. whole.Runs.Select(r => new Entry(r.Name, r.Experiment.Id))], Selection, Default);
        // Last: a plan that can be seen is whole.
        storage.WriteAtomically(PlanFile, Seal.Json(JsonSerializer.SerializeToUtf8Bytes(content, Options)));
        return whole;
    }

    /// <summary>A search in this process; what it kept is written, as workers write it.</summary>
    /// <exception cref="InputException">A run was not probed, or every one diverged.</exception>
    public SelectionSummary RunSearch(LocalRunner runner, CancellationToken stop = default)
    {
        RunSelection search = Search ?? throw new InvalidOperationException("the plan does not select");
        SelectionSummary summary = search.Run(runner, stop);
        Keep([.. Enumerable.Range(0, Runs.Count).Where(i => summary.Configurations[i].Fate is var fate
            && (fate == ConfigurationFate.Kept || (search.Spec.Validate && fate == ConfigurationFate.Stopped)))]);
        return summary;
    }

    /// <summary>Writes what a selection kept, whole and once: of several workers that decide, the first counts for all.</summary>
    public void Keep(IReadOnlyList<int> kept) =>
        DiskStorage.Shared.TryWriteNew(Path.Combine(PlanFolder, SelectionName), Seal.Json(JsonSerializer.SerializeToUtf8Bytes(new KeptRuns(kept), Options)));

    private SweepPlan JoinedTo(SweepPlan there)
    {
        var mine = Runs.ToDictionary(r => r.Name);
        HashSet<string> planned = [.. there.Runs.Select(r => r.Name)];
        if (there.Selection != Selection || (Selection is not null && !planned.SetEquals(mine.Keys))
            || there.Runs.Any(r => mine.TryGetValue(r.Name, out PlannedRun? same) && same.Experiment.Id != r.Experiment.Id))
            throw new InputException(Directory, "holds another sweep", "the same runs or more of them, or an empty or new folder", "choose another directory");
        return this with { Runs = [.. there.Runs.Select(r => mine.GetValueOrDefault(r.Name, r)), .. Runs.Where(r => !planned.Contains(r.Name))] };
    }

    private void WriteExperiments(IStorage storage)
    {
        foreach (PlannedRun run in Runs)
        {
            string file = ExperimentFile(run.Name);
            byte[] text = Seal.Yaml(Placed(run.Experiment).ToYaml());
            if (!File.Exists(file) || !File.ReadAllBytes(file).AsSpan().SequenceEqual(text)) storage.WriteAtomically(file, text);
        }
    }

    /// <summary>Workers may start in another folder. Data without a fingerprint are known by their path as it is written.</summary>
    private static Experiment Placed(Experiment experiment) => experiment.Data.Fingerprint is null ? experiment
        : experiment with { Data = experiment.Data with { Store = Path.GetFullPath(experiment.Data.Store) } };

    private string ExperimentFile(string name) => Path.Combine(PlanFolder, name + ".yaml");

    private static T Read<T>(string path) => Seal.ReadJson<T>(path, Options, "a plan that sweep or tpe has written");

    private sealed record Entry(string Name, string Id);

    private sealed record Content(IReadOnlyList<Entry> Runs, SelectionSpec? Selection, Configuration? Default);

    private sealed record KeptRuns(IReadOnlyList<int> Kept);
}
