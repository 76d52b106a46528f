using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Energy;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Estimates;

/// <summary>Recorded curves from run directories, folders of them, and anybody's CSV files.</summary>
public static class CurveSources
{
    /// <summary>A power log of this name in a run directory is integrated.</summary>
    public const string PowerLogName = "power.csv";

    /// <param name="sources">Run directories, folders of them, or CSV files.</param>
    /// <param name="columns">Of the CSV files.</param>
    /// <param name="powerLogs">RUN=FILE each, beside those that lie in run directories.</param>
    /// <exception cref="InputException">A source is neither, holds no losses, or two runs share a name.</exception>
    public static IReadOnlyList<RecordedCurve> Read(IReadOnlyList<string> sources, CurveColumns? columns = null, IReadOnlyList<string>? powerLogs = null)
    {
        if (sources.Count == 0) throw new InputException("estimate", "no input", "run directories, folders of them, or .csv files of losses");
        var recorded = new List<RecordedCurve>();
        var tables = new List<LossCurve>();
        foreach (string source in sources)
        {
            if (File.Exists(source) || (source.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(source)))
                tables.AddRange(CurveTable.Read(source, columns));
            else recorded.AddRange(RunPoints.Find(source).Select(Run));
        }
        // A table does not say how long its runs were to be: as long as the longest.
        double epochs = tables.Count > 0 ? tables.Max(c => c.EpochLength) : 0;
        recorded.AddRange(tables.Select(c => Table(c, epochs)));
        if (recorded.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InputException("estimate", $"two runs named \"{twice.Key}\"", "a name for each", "name them in a column run");
        return Powered(recorded, powerLogs ?? []);
    }

    private static RecordedCurve Table(LossCurve curve, double epochs)
    {
        int full = Math.Max(curve.Length, (int)Math.Round(epochs * curve.StepsPerEpoch));
        return new RecordedCurve(curve, full, !curve.Diverged && curve.Length == full);
    }

    private static RecordedCurve Run(string directory)
    {
        var run = new RunDirectory(directory);
        Experiment experiment = run.ReadExperiment();
        run.RequireSoundMetrics();
        LossCurve curve = LossCurve.ReadCsv(run.MetricsCsvPath, name: Path.GetFileName(run.Path));
        double planned = Math.Min(experiment.Training.Steps ?? double.PositiveInfinity, (experiment.Training.Epochs ?? double.PositiveInfinity) * curve.StepsPerEpoch);
        int full = run.IsDone || !double.IsFinite(planned) ? curve.Length : Math.Max(curve.Length, (int)planned);
        double share = curve.Length / (double)full, seconds = RunSeconds.Of(directory);
        string log = Path.Combine(run.Path, PowerLogName);
        return new RecordedCurve(curve, full, run.IsDone && !curve.Diverged,
            new Configuration(experiment.Training.LearningRate, experiment.Training.BatchSize),
            run.IsDone ? 6.0 * RunFacts.Read(directory).Parameters * run.ReadResult().ItemsSeen : null,
            seconds > 0 ? seconds / share : null,
            File.Exists(log) ? PowerLog.Read(log).Kilojoules / share : null);
    }

    private static RecordedCurve[] Powered(List<RecordedCurve> recorded, IReadOnlyList<string> powerLogs)
    {
        foreach (string text in powerLogs)
        {
            int at = text.IndexOf('=');
            int run = at < 1 ? throw new InputException("power", $"'{text}'", "RUN=FILE") : recorded.FindIndex(r => r.Name == text[..at]);
            if (run < 0) throw new InputException("power", $"no run \"{text[..at]}\"", string.Join(", ", recorded.Select(r => r.Name)));
            double share = recorded[run].Curve.Length / (double)recorded[run].FullLength;
            recorded[run] = recorded[run] with { Kilojoules = PowerLog.Read(text[(at + 1)..]).Kilojoules / share };
        }
        return [.. recorded];
    }
}

/// <summary>A recorded run as estimation needs it.</summary>
/// <param name="Curve">Its losses.</param>
/// <param name="FullLength">Planned length, in the unit of <see cref="LossCurve.Length"/>.</param>
/// <param name="Finished">It is that long, or was ended by a rule of its own, and did not diverge.</param>
/// <param name="Setting">Learning rate and batch size; null where the recording does not say.</param>
/// <param name="Flop">6 N S of the whole run; null where unknown.</param>
/// <param name="Seconds">Of the whole run; null where unknown.</param>
/// <param name="Kilojoules">Of the whole run; null without a power log.</param>
public sealed record RecordedCurve(LossCurve Curve, int FullLength, bool Finished, Configuration? Setting = null, double? Flop = null,
    double? Seconds = null, double? Kilojoules = null)
{
    public string Name => Curve.Name;

    /// <summary>NaN where it is not finished.</summary>
    public double FinalLoss => Finished ? Curve.LastTrainingLoss : double.NaN;
}
