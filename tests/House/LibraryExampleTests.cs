using NUnit.Framework;
// The example's own usings, and no others of the engine.
#region usings
using ChemScale.Engine.Generation;
using ChemScale.Engine.Studies.Evaluation;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
#endregion

namespace ChemScale.Tests.House;

/// <summary>The example of docs/LIBRARY.md, word for word: it compiles here, and runs.</summary>
public sealed class LibraryExampleTests
{
    [Test]
    public void The_documented_example_runs()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Path;
        #region example
        // An experiment: a family, data, and single settings. Without files it prepares what comes with the program.
        Experiment language = new TrainingRequest
        {
            Settings = new Dictionary<string, object>
            {
                ["model.width"] = 16,
                ["model.layers"] = 1,
                ["model.heads"] = 2,
                ["data.subset"] = 50,
                ["training.steps"] = 2,
            },
        }.Build($"{path}/language");
        Experiment field = new TrainingRequest
        {
            Family = "painn",
            Settings = new Dictionary<string, object> { ["model.features"] = 8, ["model.interactions"] = 1, ["data.subset"] = 10, ["training.steps"] = 2 },
        }.Build($"{path}/field");

        // Training: an interrupted run goes on where its last checkpoint left it.
        foreach (Experiment experiment in (Experiment[])[language, field])
        {
            string run = experiment == field ? $"{path}/field" : $"{path}/language";
            using ITrainingTask task = TrainingTasks.Create(experiment);
            TrainingResult result = Trainer.Run(experiment, task, new RunDirectory(run), new TrainerOptions { Resume = true });
            Console.WriteLine($"{result.Steps} steps, validation loss {result.FinalValidationLoss:F3}");
        }

        // Molecules of the one, energies and forces of the other.
        GeneratedMolecules molecules = MoleculeGeneration.Run(
            new GenerationRequest { Run = $"{path}/language", Sampling = new SamplingOptions { Count = 3 }, Output = $"{path}/molecules" }, Console.Error.WriteLine);
        File.WriteAllText($"{path}/water.xyz", "3\nwater\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n");
        PredictionReport predicted = ForceFieldPrediction.Run(
            new PredictionOptions { Run = $"{path}/field", Files = [$"{path}/water.xyz"], Output = $"{path}/predicted.extxyz" }, Console.Error.WriteLine);
        #endregion
        Assert.That((molecules.Molecules.Count, predicted.Frames), Is.EqualTo((3, 1)));
    }

    [Test]
    public void The_documentation_shows_the_example_that_runs()
    {
        string source = File.ReadAllText(Path.Combine(Repository.Root, "tests", "House", "LibraryExampleTests.cs")).ReplaceLineEndings("\n");
        string shown = File.ReadAllText(Path.Combine(Repository.Root, "docs", "LIBRARY.md")).ReplaceLineEndings("\n");
        foreach (string region in (string[])["usings", "example"]) Assert.That(shown, Does.Contain(Region(source, region)), region);
    }

    private static string Region(string source, string name)
    {
        string[] lines = source.Split('\n');
        int first = Array.FindIndex(lines, l => l.Trim() == $"#region {name}") + 1, end = Array.FindIndex(lines, first, l => l.Trim() == "#endregion");
        int indent = lines[first].TakeWhile(c => c == ' ').Count();
        return string.Join('\n', lines[first..end].Select(l => l.Length > indent ? l[indent..] : l.Trim()));
    }
}
