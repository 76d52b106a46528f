using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>A folder with a small store and small runs, made once by the command itself for all tests of it.</summary>
[SetUpFixture]
public sealed class Workplace
{
    /// <summary>Shape and length of the small runs.</summary>
    private static readonly string[] Small = ["--layers", "1", "--width", "16", "--heads", "2", "--threads", "1", "--warmup", "5", "--lr", "1e-3"];

    private static TemporaryFolder folder = null!;

    /// <summary>A prepared store of 300 molecules.</summary>
    public static string Store => In("store");

    /// <summary>A complete run of 12 steps on it.</summary>
    public static string CompleteRun => In("complete");

    public static string In(string name) => folder[name];

    /// <summary>A path that cannot be a folder, even for root: it lies below a file.</summary>
    public static string Impossible => Path.Combine(In("a-file"), "below");

    /// <summary>A new file of that content.</summary>
    public static string Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    public static string Write(string name, byte[] content)
    {
        string path = In(name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Arguments of a small training on the store.</summary>
    public static string[] Train(string name, params string[] more) => ["train", "--data", Store, "--out", In(name), .. Small, .. more];

    /// <summary>The complete run's experiment, put aside at step 10 with checkpoints of steps 4, 8 and 10; the last two are kept.</summary>
    public static string PutAside(string name)
    {
        Experiment experiment = Experiment.Read(Path.Combine(CompleteRun, "experiment.yaml"));
        experiment = experiment with { Training = experiment.Training with { CheckpointInterval = Interval.Steps(4) } };
        using ITrainingTask task = TrainingTasks.Create(experiment);
        Trainer.Run(experiment, task, new RunDirectory(In(name)), new TrainerOptions { StopAtStep = 10 });
        return In(name);
    }

    /// <summary>Every file below a folder, with its content.</summary>
    public static Dictionary<string, byte[]> Content(string path) => !Directory.Exists(path) ? [] :
        Directory.GetFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToDictionary(f => Path.GetRelativePath(path, f), File.ReadAllBytes);

    [OneTimeSetUp]
    public void Make()
    {
        folder = new TemporaryFolder();
        Write("a-file", "not a folder");
        Outcome prepared = CommandLine.Here("prepare", "--virtual", "300", "--validation", "0.1", "--out", Store);
        Assert.That(prepared.ExitCode, Is.Zero, prepared.ToString());
        Outcome trained = CommandLine.Here(Train("complete", "--steps", "12", "--validate-every", "4 steps"));
        Assert.That(trained.ExitCode, Is.Zero, trained.ToString());
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();
}
