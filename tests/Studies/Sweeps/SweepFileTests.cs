using ChemScale.Engine;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Sweeps;

public class SweepFileTests
{
    private const string Base = "experiment:\n  model: {family: chemgpt, width: 16}\n  training: {epochs: 20}\n";

    [Test]
    public void A_file_gives_its_grid_and_then_its_single_runs()
    {
        using var folder = new TemporaryFolder();
        var file = Read(folder, Base + """
            vary:
              model.width: [16, 32]
              training.learningRate: [1e-4, 1e-3]
            runs:
              - {model.width: 64, training.batchSize: 4}
              - {model.width: 16, training.learningRate: 1e-4}
            """);
        var runs = file.Plan(file.Experiment, folder.Path);
        Assert.That(runs.Select(r => r.Name), Is.EqualTo(new[]
        {
            "width-16-learningRate-1e-4", "width-16-learningRate-1e-3", "width-32-learningRate-1e-4", "width-32-learningRate-1e-3", "width-64-batchSize-4",
        }), "a single run that is also of the grid is one run");
        Assert.That(runs.Select(r => (((ChemGptConfig)r.Experiment.Model.Config).Width, r.Experiment.Training.BatchSize))
            .Last(), Is.EqualTo((64, 4)));
    }

    [Test]
    public void A_base_experiment_may_be_a_file_beside_it()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["base.yaml"], "model: {family: chemgpt, width: 48}\ntraining: {epochs: 2}\n");
        var file = Read(folder, "experiment: base.yaml\nvary: {seed: [1, 2]}\n");
        Assert.That(file.Plan(file.Experiment, folder.Path).Select(r => (((ChemGptConfig)r.Experiment.Model.Config).Width, r.Experiment.Seed)),
            Is.EqualTo(new[] { (48, 1L), (48, 2L) }));
    }

    [TestCase("selection: {epochs: 30, probeEpochs: 4, estimator: tse-ema, validate: true}", 30, 4, true, ProbeEstimator.TseEma)]
    [TestCase("selection: {probeEpochs: 3}", 20, 3, false, ProbeEstimator.Tse)]
    [TestCase("selection: {}", 20, 4, false, ProbeEstimator.Tse)]
    public void A_selection_has_its_length_from_the_file(string selection, int epochs, int probe, bool validate, ProbeEstimator estimator)
    {
        using var folder = new TemporaryFolder();
        var file = Read(folder, Base + "vary: {seed: [1, 2]}\n" + selection);
        Assert.That(file.Selection, Is.EqualTo(new SelectionSpec { Epochs = epochs, ProbeEpochs = probe, Validate = validate, Estimator = estimator }));
        Assert.That(file.Plan(file.Experiment, folder.Path).Select(r => r.Experiment.Training.Epochs), Is.All.EqualTo(epochs));
    }

    [TestCase("vary: {seed: [1, 2]}", "no experiment")]
    [TestCase(Base, "nothing is varied")]
    [TestCase(Base + "vary: [1, 2]", "vary")]
    [TestCase(Base + "vary: {seed: [1, 2]}\nselect: {epochs: 3}", "select")]
    [TestCase(Base + "vary: {seed: [1, 2]}\nselection: {epochs: 3, probeEpochs: 3}", "probe epochs")]
    [TestCase(Base + "vary: {seed: [1, 2]}\nselection: {epochs: many}", "selection.epochs")]
    [TestCase(Base + "vary: {seed: [1, 2]}\nselection: {estimator: guess}", "selection.estimator")]
    [TestCase(Base + "runs:\n  - {seed: [1, 2]}", "seed")]
    [TestCase(Base + "vary: {seed: [1, 2", "sweep.yaml:")]
    [TestCase("experiment: nowhere.yaml\nvary: {seed: [1, 2]}", "nowhere.yaml")]
    public void A_file_that_is_no_sweep_is_refused_by_name(string text, string named)
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => Read(folder, text), Throws.TypeOf<InputException>().With.Message.Contains(named));
    }

    [Test]
    public void Two_different_runs_of_one_name_are_refused_and_the_same_run_twice_is_one()
    {
        using var folder = new TemporaryFolder();
        var different = Read(
            folder, Base.Replace("20}", "20, schedule: {kind: plateau}}", StringComparison.Ordinal) + "runs:\n  - {training.patience: 3}\n  - {training.schedule.patience: 3}\n");
        Assert.That(() => different.Plan(different.Experiment, folder.Path), Throws.TypeOf<InputException>().With.Message.Contains("patience-3"));
        var twice = Read(folder, Base + "runs:\n  - {seed: 1}\n  - {seed: 1}\n  - {seed: 2}\n");
        Assert.That(twice.Plan(twice.Experiment, folder.Path).Select(r => r.Name), Is.EqualTo(new[] { "seed-1", "seed-2" }));
    }

    private static SweepFile Read(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["sweep.yaml"], text);
        return SweepFile.Read(folder["sweep.yaml"]);
    }
}
