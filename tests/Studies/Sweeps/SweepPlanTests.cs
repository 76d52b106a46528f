using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Sweeps;

public class SweepPlanTests
{
    [Test]
    public void A_plan_read_back_has_the_same_runs_by_index()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = Plan(folder, "model.width=16,32", "training.learningRate=1e-4,1e-3") with { Selection = new SelectionSpec { Epochs = 9, ProbeEpochs = 2 } };
        plan.Write();
        var read = SweepPlan.Read(folder.Path);
        Assert.That(read.Runs.Select(r => (r.Name, r.Experiment.Id, r.Directory)), Is.EqualTo(plan.Runs.Select(r => (r.Name, r.Experiment.Id, r.Directory))));
        Assert.That(read.Selection, Is.EqualTo(plan.Selection));
        Assert.That(read.Kept, Is.Null);
    }

    [TestCase("../escaped"), TestCase("a/b"), TestCase(".."), TestCase("/elsewhere/x"), TestCase(""), TestCase("plan")]
    public void A_plan_that_would_write_elsewhere_is_refused(string name)
    {
        using var folder = new TemporaryFolder();
        Plan(folder, "model.width=16,32").Write();
        string file = Path.Combine(folder.Path, "plan", "plan.json");
        // As an earlier version wrote it, which had no seal.
        string text = System.Text.Encoding.UTF8.GetString(ChemScale.Engine.Files.Seal.OpenJson(File.ReadAllBytes(file), file, out _));
        File.WriteAllText(file, text.Replace("\"width-16\"", $"\"{name}\"", StringComparison.Ordinal));
        Assert.That(() => SweepPlan.Read(folder.Path), Refused.With("plan.json: a run named"));
    }

    [Test]
    public void The_same_plan_may_be_written_again_and_another_is_refused()
    {
        using var folder = new TemporaryFolder();
        Plan(folder, "model.width=16,32").Write();
        Plan(folder, "model.width=16,32").Write();
        Assert.That(() => (Plan(folder, "model.width=16,32") with { Selection = new SelectionSpec() }).Write(),
            Throws.TypeOf<InputException>().With.Message.Contains("another sweep"));
        SweepPlan other = Plan(folder, "model.width=32");
        PlannedRun longer = other.Runs[0] with { Experiment = other.Runs[0].Experiment with { Seed = 7 } };
        Assert.That(() => (other with { Runs = [longer] }).Write(), Throws.TypeOf<InputException>().With.Message.Contains("another sweep"));
        Assert.That(SweepPlan.Read(folder.Path).Runs.Select(r => r.Name), Is.EqualTo(new[] { "width-16", "width-32" }));
    }

    [Test]
    public void Further_runs_join_a_plan_behind_those_that_have_an_index()
    {
        using var folder = new TemporaryFolder();
        Plan(folder, "model.width=32,64").Write();
        SweepPlan whole = Plan(folder, "model.width=16,64").Write();
        Assert.That(whole.Runs.Select(r => r.Name), Is.EqualTo(new[] { "width-32", "width-64", "width-16" }));
        Assert.That(SweepPlan.Read(folder.Path).Runs.Select(r => (r.Name, r.Experiment.Id)), Is.EqualTo(whole.Runs.Select(r => (r.Name, r.Experiment.Id))));
    }

    [Test]
    public void A_search_takes_no_further_runs()
    {
        using var folder = new TemporaryFolder();
        (Plan(folder, "model.width=16,32") with { Selection = new SelectionSpec { Epochs = 9, ProbeEpochs = 2 } }).Write();
        SweepPlan more = Plan(folder, "model.width=16,32,64") with { Selection = new SelectionSpec { Epochs = 9, ProbeEpochs = 2 } };
        Assert.That(() => more.Write(), Throws.TypeOf<InputException>().With.Message.Contains("another sweep"));
    }

    [Test]
    public void How_safely_runs_run_may_change_and_the_plan_then_says_so()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = Plan(folder, "model.width=16,32");
        plan.Write();
        PlannedRun[] faster = [.. plan.Runs.Select(r => r with { Experiment = r.Experiment with { Training = r.Experiment.Training with { Threads = 3 } } })];
        (plan with { Runs = faster }).Write();
        Assert.That(SweepPlan.Read(folder.Path).Runs.Select(r => r.Experiment.Training.Threads), Is.All.EqualTo(3));
    }

    [Test]
    public void An_experiment_that_was_edited_after_planning_is_refused()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = Plan(folder, "model.width=16,32");
        plan.Write();
        string file = Directory.GetFiles(folder["plan"], "width-32.yaml").Single();
        File.WriteAllText(file, File.ReadAllText(file).Replace("width: 32", "width: 64", StringComparison.Ordinal));
        Assert.That(() => SweepPlan.Read(folder.Path), Throws.TypeOf<InputException>().With.Message.Contains(file));
    }

    [Test]
    public void The_first_selection_counts_for_all()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = Plan(folder, "model.width=16,32,64");
        plan.Write();
        plan.Keep([2]);
        plan.Keep([0, 1]);
        Assert.That(SweepPlan.Read(folder.Path).Kept, Is.EqualTo(new[] { 2 }));
        Assert.That(Directory.GetFiles(folder["plan"], "selection*"), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_folder_without_a_plan_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => SweepPlan.Read(folder.Path), Throws.TypeOf<InputException>());
        Directory.CreateDirectory(folder["plan"]);
        File.WriteAllText(Path.Combine(folder["plan"], "plan.json"), "{\"runs\": 3}");
        Assert.That(() => SweepPlan.Read(folder.Path), Throws.TypeOf<InputException>().With.Message.Contains("plan.json"));
    }

    internal static SweepPlan Plan(TemporaryFolder folder, params string[] vary)
    {
        var basis = new Experiment
        {
            Model = ModelSpec.Of(new ChemGptConfig { Width = 16 }),
            Data = new DataSpec { Store = "/data", Subset = 10 },
            Training = new TrainingSpec { Epochs = 9 },
        };
        return new SweepPlan(folder.Path, Sweep.Plan(basis, [.. vary.Select(Variation.Parse)], folder.Path));
    }
}
