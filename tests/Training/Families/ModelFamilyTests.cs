using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Cli;
using NUnit.Framework;
using Command = ChemScale.Tests.Cli.CommandLine;

namespace ChemScale.Tests.Training.Families;

/// <summary>A family is one class and a line of the list: one that only these tests know goes all the way.</summary>
public sealed class ModelFamilyTests
{
    private TemporaryFolder folder = null!;
    private IDisposable listing = null!;

    [SetUp]
    public void List()
    {
        folder = new TemporaryFolder();
        listing = ModelFamily.List(new ToyFamily());
    }

    [TearDown]
    public void Unlist()
    {
        listing.Dispose();
        folder.Dispose();
    }

    [Test]
    public void A_family_of_one_class_is_trained_saved_and_resumed_with_its_facts()
    {
        Experiment experiment = new TrainingRequest
        {
            Family = "toy",
            Settings = new Dictionary<string, object> { ["model.width"] = 3, ["training.steps"] = 8, ["training.batchSize"] = 4, ["data.subset"] = 20 },
        }.Build(folder["whole"]);
        Assert.That((experiment.Model.Family.Name, experiment.Data.Fingerprint), Is.EqualTo(("toy", "40 numbers")));
        Assert.That(Experiment.Parse(experiment.ToYaml(), "toy").Id, Is.EqualTo(experiment.Id));

        TrainingResult whole = Train(experiment, folder["whole"], null), part = Train(experiment, folder["parts"], 5), resumed = Train(experiment, folder["parts"], null);
        Assert.That((whole.Steps, part.Steps, resumed.Steps), Is.EqualTo((8, 5, 8)));
        Assert.That(BitConverter.DoubleToInt64Bits(resumed.FinalValidationLoss!.Value), Is.EqualTo(BitConverter.DoubleToInt64Bits(whole.FinalValidationLoss!.Value)));

        var run = new RunDirectory(folder["parts"]);
        Assert.That(run.ReadExperiment().Model, Is.EqualTo(experiment.Model));
        using ITrainingTask task = TrainingTasks.Create(run.ReadExperiment());
        Assert.That(RunFacts.Of(task, experiment) with { Operators = null }, Is.EqualTo(new RunFacts(3, 20, "numbers")));
        run.Checkpoints().OpenNewest(message => Assert.Fail(message))!.LoadWeights(task.Model);
        Assert.That(BitConverter.DoubleToInt64Bits(task.Validate()["val_loss"]), Is.EqualTo(BitConverter.DoubleToInt64Bits(whole.FinalValidationLoss!.Value)));
    }

    [Test]
    public void It_is_swept_and_its_points_are_read()
    {
        Experiment basis = new TrainingRequest { Family = "toy", Settings = new Dictionary<string, object> { ["training.steps"] = 4 } }.Build(folder["sweep"]);
        IReadOnlyList<PlannedRun> runs = Sweep.Plan(basis, [Variation.Parse("model.width=1,2,5")], folder["sweep"]);
        new LocalRunner { ThreadsPerRun = 1 }.Run(runs);
        Assert.That(runs.Select(r => RunFacts.Read(r.Directory) with { Operators = null }),
            Is.EqualTo(new[] { new RunFacts(1, 32, "numbers"), new(2, 32, "numbers"), new(5, 32, "numbers") }));
        Expect.AllBetween(runs.Select(r => RunPoints.Read(r.Directory).Loss), double.Epsilon, 100);
    }

    [Test]
    public void It_has_a_part_in_a_study()
    {
        StudyPlan plan = new() { Parts = [StudyPartPlan.Of(ModelFamily.Named("toy"))], Parallel = 1 };
        StudyPart part = Study.Run(plan, folder["study"], "", new StudyObserver()).Parts.Single();
        Assert.That((part.Family, part.LossUnit, part.ItemName, part.Data.Train), Is.EqualTo(("Toy", "squared numbers", "numbers", 32)));
        Assert.That(part.Grid.Points.Select(p => (p.ModelName, p.Parameters, p.Items)), Is.EquivalentTo(
            from model in (int[])[1, 2, 4] from items in (long[])[8, 16, 32] select ($"1 x {model}", (long)model, items)));
    }

    [Test]
    public void The_command_line_takes_it_and_refuses_what_it_cannot_do()
    {
        Outcome trained = Command.Here("train", "--model", "toy", "--width", "3", "--steps", "4", "--threads", "1", "--out", folder["run"]);
        Assert.That(trained.ExitCode, Is.Zero, trained.ToString());
        Assert.That(trained.Output, Does.Contain("3 non-embedding parameters, 32 unique training numbers"));
        Assert.That(BadInputTests.Refused(["generate", "--run", folder["run"], "--out", folder["out"]]).Error, Does.Contain("toy; expected the run of a language model"));
        Assert.That(BadInputTests.Refused(["train", "--model", "toy", "--heads", "3", "--out", folder["no"]]).Error,
            Does.StartWith("chemscale: --heads: given for toy; expected a setting that toy has. HINT: --model chemgpt has it"));
        Assert.That(BadInputTests.Refused(["train", "--model", "toys", "--out", folder["no"]]).Error, Does.StartWith("chemscale: --model: 'toys'").And.Contain("allegro, toy"));
        Assert.That(Directory.Exists(folder["no"]), Is.False);
    }

    [Test]
    public void Families_that_share_a_kind_of_data_share_its_object()
    {
        foreach (IGrouping<string, ModelFamily> kind in ModelFamily.All.GroupBy(f => f.Data.DocumentName))
            Assert.That(kind.Select(f => f.Data).Distinct().Count(), Is.EqualTo(1), kind.Key);
        Assert.That(ModelFamily.All.Select(f => f.Name), Is.Unique);
        Assert.That(ModelFamily.All.Select(f => f.ConfigType), Is.Unique);
    }

    private static TrainingResult Train(Experiment experiment, string directory, long? stopAtStep)
    {
        using ITrainingTask task = TrainingTasks.Create(experiment);
        return Trainer.Run(experiment, task, new RunDirectory(directory), new TrainerOptions { Resume = true, StopAtStep = stopAtStep });
    }
}
