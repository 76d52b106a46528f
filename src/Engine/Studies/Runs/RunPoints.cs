using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Scaling points from run directories: N, D, C = 6 N S and the least validation loss.</summary>
public static class RunPoints
{
    /// <summary>The directory itself where it is a run, else every run below it.</summary>
    /// <exception cref="InputException">There is no run.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (!Directory.Exists(path)) throw new InputException(path, "no such folder", "a run directory, or a folder of them");
        if (new RunDirectory(path).IsStarted) return [path];
        string[] runs = [.. Directory.EnumerateFiles(path, "experiment.yaml", SearchOption.AllDirectories).Select(f => Path.GetDirectoryName(f)!).Order(StringComparer.Ordinal)];
        return runs.Length > 0 ? runs : throw new InputException(path, "no run below it", "folders with an experiment.yaml");
    }

    /// <exception cref="InputException">The run was never validated.</exception>
    public static ScalingPoint Read(string directory)
    {
        var run = new RunDirectory(directory);
        Experiment experiment = run.ReadExperiment();
        RunFacts facts = RunFacts.Read(directory);
        LossCurve curve = LossCurve.ReadCsv(run.MetricsCsvPath);
        double loss = curve.LeastValidationLoss ?? throw new InputException(directory, "no validation loss", "a run that was validated");
        long seen = run.IsDone ? run.ReadResult().ItemsSeen : throw new InputException(directory, "the run is not complete", "complete runs", "resume it, or name the complete ones");
        return new ScalingPoint
        {
            N = facts.Parameters,
            D = facts.Items,
            C = 6.0 * facts.Parameters * seen,
            Loss = loss,
            Seed = experiment.Seed,
            Name = Path.GetFileName(run.Path),
        };
    }
}
