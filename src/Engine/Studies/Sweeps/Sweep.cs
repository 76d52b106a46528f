using System.Globalization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>One experiment, some of its keys varied over a grid: every combination a run of its own.</summary>
public static class Sweep
{
    /// <param name="basis">Everything that is not varied.</param>
    /// <param name="variations">The first varies slowest.</param>
    /// <param name="directory">Each run gets a folder below, named after what is varied.</param>
    /// <exception cref="InputException">A key an experiment does not have, or a value it cannot take.</exception>
    public static IReadOnlyList<PlannedRun> Plan(Experiment basis, IReadOnlyList<Variation> variations, string directory)
    {
        if (variations.Count == 0) throw new InputException("vary", "none", "one or more of KEY=VALUE,VALUE...");
        IEnumerable<string[]> grid = [[]];
        foreach (Variation variation in variations) grid = [.. grid.SelectMany(chosen => variation.Values.Select(value => (string[])[.. chosen, value]))];
        PlannedRun[] runs =
        [
            .. grid.Select(values =>
            {
                string name = string.Join("-", variations.Zip(values, (v, value) => $"{v.Key[(v.Key.LastIndexOf('.') + 1)..]}-{value}"));
                // A path among the values must not lead out of the folder.
                name = string.Join('_', name.Split(Path.GetInvalidFileNameChars()));
                return new PlannedRun(name, ExperimentKeys.With(basis, variations.Zip(values, (v, value) => (v.Key, value)), "vary"), Path.Combine(directory, name));
            }),
        ];
        foreach (Variation variation in variations) GivenKeys.RequireEffect([.. runs.Select(r => r.Experiment)], variation.Key, "vary");
        string? twice = runs.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        return twice is null ? runs : throw new InputException("vary", $"{twice} comes twice", "different values");
    }

    /// <summary>Writes sweep.csv: a line per run, those that are complete ready for <c>fit</c>.</summary>
    /// <param name="directory">Of the sweep.</param>
    /// <param name="outcomes">Runs that completed, and those that diverged.</param>
    /// <param name="failed">Runs that could not be run: told apart in the last column.</param>
    /// <param name="storage">Null: the disk.</param>
    /// <returns>Its path.</returns>
    public static string WriteTable(
        string directory, IReadOnlyList<RunOutcome> outcomes, IReadOnlyList<PlannedRun>? failed = null, IStorage? storage = null)
    {
        string path = Path.Combine(directory, "sweep.csv");
        var lines = new List<string> { "name,parameters,items,compute,loss,steps,seconds,diverged" };
        foreach (RunOutcome outcome in outcomes)
        {
            if (outcome.Result is null)
            {
                lines.Add($"{outcome.Run.Name},,,,,,,yes");
                continue;
            }
            ScalingPoint point = RunPoints.Read(outcome.Run.Directory);
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"{outcome.Run.Name},{point.N},{point.D},{point.C:R},{point.Loss:R},{outcome.Result.Steps},{outcome.Result.Seconds:F2},no"));
        }
        foreach (PlannedRun run in failed ?? []) lines.Add($"{run.Name},,,,,,,failed");
        (storage ?? DiskStorage.Shared).WriteAtomically(path, string.Concat(lines.Select(line => line + "\n")));
        return path;
    }
}

/// <summary>Part of a sweep that a worker does.</summary>
public enum SweepStage
{
    /// <summary>All of it: probes, selection and finishes where the plan selects, else every run to its end.</summary>
    All,

    /// <summary>Every run to the end of its probe.</summary>
    Probe,

    /// <summary>Decide from the probes which runs go on.</summary>
    Select,

    /// <summary>Runs to their end: those selected, or all where the plan does not select.</summary>
    Finish,

    /// <summary>Of a study's part, not of a sweep: plan the runs that depend on those before.</summary>
    Plan,
}

/// <summary>A key of the experiment and the values it takes: <c>training.learningRate=1e-4,1e-3</c>.</summary>
public sealed record Variation(string Key, IReadOnlyList<string> Values)
{
    /// <exception cref="InputException">Not KEY=VALUE,VALUE...</exception>
    public static Variation Parse(string text)
    {
        int equals = text.IndexOf('=');
        string[] values = equals < 0 ? [] : text[(equals + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return equals > 0 && values.Length > 0
            ? new Variation(text[..equals].Trim(), values)
            : throw new InputException("vary", $"'{text}'", "KEY=VALUE,VALUE..., such as training.learningRate=1e-4,1e-3 or model.width=16,32");
    }
}
