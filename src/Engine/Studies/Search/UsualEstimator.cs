using System.Text.Json;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Search;

/// <summary>By what a search ranks its probes where nobody says it: as its folder says that it did, else what did best on recorded searches.</summary>
internal static class UsualEstimator
{
    public const string FileName = "search.json";

    private const string PlanFolder = "plan";

    /// <summary>
    /// Of runs whose learning rate goes down to nothing at their end, annealed probes rank best, by their validation loss where runs have one;
    /// of runs at one rate, the loss of the probe's last epoch (docs/RESULTS.md, "Estimators at equal cost"). A cosine moves the rate from the
    /// beginning, so that no probe can be cooled as the run will be: the sum over the probe, as in the paper.
    /// </summary>
    public static ProbeEstimator For(TrainingSpec training) => training.Schedule.Kind switch
    {
        ScheduleKind.Cooldown => training.ValidationInterval.Unit == IntervalUnit.Never ? ProbeEstimator.Annealed : ProbeEstimator.AnnealedValidation,
        ScheduleKind.Cosine => ProbeEstimator.Tse,
        _ => ProbeEstimator.TseE,
    };

    /// <summary>The same of runs that may differ in it: what suits all of them.</summary>
    public static ProbeEstimator For(IEnumerable<TrainingSpec> trainings)
    {
        ProbeEstimator[] each = [.. trainings.Select(t => For(t)).Distinct()];
        return each is [var one] ? one : each.Contains(ProbeEstimator.Tse) ? ProbeEstimator.Tse : each.All(e => e.IsAnnealed()) ? ProbeEstimator.Annealed : ProbeEstimator.TseE;
    }

    /// <summary>What the search that was begun in a folder ranks by; null where none was begun.</summary>
    /// <param name="directory">Of the search.</param>
    /// <exception cref="InputException">What was written there is damaged.</exception>
    public static ProbeEstimator? RecordedIn(string directory)
    {
        string path = Path.Combine(directory, FileName);
        if (File.Exists(path)) return ProbeEstimators.Parse(Seal.ReadJson<Record>(path, JsonSerializerOptions.Web, "what a search ranks by").Estimator, path);
        // Version 0.3 wrote nothing of it, and had the paper's.
        bool begun = Directory.Exists(directory) && Directory.EnumerateDirectories(directory)
            .Any(d => Path.GetFileName(d) == PlanFolder || File.Exists(Path.Combine(d, "experiment.yaml")));
        return begun ? ProbeEstimator.Tse : null;
    }

    /// <summary>The one recorded, else the usual one of these runs.</summary>
    /// <param name="directory">Of the search.</param>
    /// <param name="runs">Of it.</param>
    public static ProbeEstimator Of(string directory, IEnumerable<PlannedRun> runs) => RecordedIn(directory) ?? For(runs.Select(r => r.Experiment.Training));

    /// <summary>Keeps what a search ranks by, so that the same command goes on with it whatever is usual then.</summary>
    public static void Keep(string directory, ProbeEstimator estimator, IStorage storage)
    {
        storage.EnsureDirectory(Path.GetFullPath(directory));
        storage.WriteAtomically(Path.Combine(Path.GetFullPath(directory), FileName), Seal.Json(JsonSerializer.Serialize(new Record(estimator.Name()), JsonSerializerOptions.Web)));
    }

    private sealed record Record(string Estimator);
}
