using ChemScale.Engine;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Search;

/// <summary>Probes whose learning rate is taken down to nothing in a branch, and a chosen run that goes on from before it.</summary>
public class AnnealedSearchTests
{
    private TemporaryFolder folder = null!;
    private Experiment basis = null!;

    [OneTimeSetUp]
    public void Prepare()
    {
        folder = new TemporaryFolder();
        Assert.That(Cli.CommandLine.Here("prepare", "--virtual", "200", "--validation", "0.2", "--out", folder["data"]).ExitCode, Is.Zero);
        basis = new TrainingRequest
        {
            Source = new DataSource { Store = folder["data"] },
            Settings = new Dictionary<string, object>
            {
                ["model.layers"] = 1,
                ["model.width"] = 8,
                ["model.heads"] = 2,
                ["data.subset"] = 80L,
                ["data.validation"] = 20L,
                ["training.threads"] = 1,
                ["training.schedule.warmupSteps"] = 4L,
                ["training.emaDecay"] = 0.9,
            },
        }.Build(folder.Path);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void The_probe_costs_what_it_says_and_the_chosen_run_goes_on_as_if_nothing_had_left_it()
    {
        string here = folder["here"], workers = folder["workers"];
        TrainingPerformanceSearch search = Search(basis);
        SelectionSummary summary = search.Run(here, new LocalRunner());
        RunSelection plan = search.Plan(here);
        foreach (PlannedRun run in plan.Runs)
        {
            // 10 steps an epoch, 5 epochs of probe: 40 at the rate, 10 that cool.
            Assert.That(plan.ProbeStep(run), Is.EqualTo(40));
            var branch = new RunDirectory(Path.Combine(run.Directory, "cooled"));
            Assert.That(branch.ReadResult().Steps, Is.EqualTo(50));
            LossCurve cooled = LossCurve.ReadCsv(branch.MetricsCsvPath), trunk = LossCurve.ReadCsv(new RunDirectory(run.Directory).MetricsCsvPath);
            Assert.That(cooled.Steps.Take(40), Is.EqualTo(trunk.Steps.Take(40)));
            Expect.Close(summary.Configurations.Single(c => c.Name == run.Name).Estimate, cooled.Steps.TakeLast(10).Average(s => s.Loss), absolute: 1e-12);
            Assert.That(trunk.Steps, Has.Count.EqualTo(summary.Configurations[summary.Selected].Name == run.Name ? 100 : 40));
        }
        int best = Enumerable.Range(0, 3).MinBy(i => summary.Configurations[i].Estimate);
        Assert.That(summary.Selected, Is.EqualTo(best));
        Expect.Close(summary.ComputeSaved, 1 - (3 * 50 + 60) / 300.0, absolute: 1e-12);
        PlannedRun chosen = plan.Runs[best];
        new LocalRunner().Run([chosen with { Directory = folder["plain"] }]);
        Assert.That(File.ReadAllText(Path.Combine(chosen.Directory, "metrics.csv")), Is.EqualTo(File.ReadAllText(Path.Combine(folder["plain"], "metrics.csv"))));
        Assert.That(RunPoints.Find(here), Has.Count.EqualTo(3), "a branch is no run of its own");

        SweepPlan written = new SweepPlan(workers, search.Plan(workers).Runs, search.Plan(workers).Spec, search.Space.Default).Write();
        Assert.That(new SweepWorker { Plan = written, Threads = 1 }.Run(SweepStage.All), Is.Empty);
        SelectionSummary again = written.Search!.Summarize(written.Search.Select());
        Assert.That(again.Configurations.Select(c => (c.Name, c.Estimate, c.Final)), Is.EqualTo(summary.Configurations.Select(c => (c.Name, c.Estimate, c.Final))));

        // A probe without its branch is none.
        Directory.Delete(Path.Combine(written.Runs[0].Directory, "cooled"), recursive: true);
        File.Delete(Path.Combine(workers, "plan", "selection.json"));
        Assert.That(() => new SweepWorker { Plan = written, Threads = 1 }.Run(SweepStage.Select), Throws.TypeOf<InputException>().With.Message.Contains("not complete"));
    }

    [Test]
    public void Runs_that_cool_are_ranked_by_the_validation_loss_at_the_end_of_their_branches()
    {
        Experiment cooled = basis with { Training = basis.Training with { Schedule = basis.Training.Schedule with { Kind = ScheduleKind.Cooldown } } };
        string here = folder["validation"];
        TrainingPerformanceSearch search = Search(cooled) with { Estimator = null };
        SelectionSummary summary = search.Run(here, new LocalRunner());
        Assert.That(summary.Estimator, Is.EqualTo("annealed-validation"));
        foreach (PlannedRun run in search.Plan(here).Runs)
        {
            LossCurve branch = LossCurve.ReadCsv(new RunDirectory(Path.Combine(run.Directory, "cooled")).MetricsCsvPath);
            Assert.That(branch.Validation[^1].Step, Is.EqualTo(branch.Steps[^1].Step), "at its end");
            Expect.Close(summary.Configurations.Single(c => c.Name == run.Name).Estimate, branch.Validation[^1].Loss, absolute: 1e-12);
        }
        Assert.That(summary.Selected, Is.EqualTo(Enumerable.Range(0, 3).MinBy(i => summary.Configurations[i].Estimate)));
    }

    [Test]
    public void A_rate_that_moves_before_the_branch_is_refused()
    {
        Experiment cosine = basis with { Training = basis.Training with { Schedule = new ScheduleSpec { Kind = ScheduleKind.Cosine } } };
        Assert.That(() => Search(cosine).Plan(folder["cosine"]), Throws.TypeOf<InputException>().With.Message.StartWith("training.schedule.kind: cosine"));
    }

    private static TrainingPerformanceSearch Search(Experiment basis) => new()
    {
        Space = SearchSpace.Grid([1e-3, 1e-2], [8], new Configuration(3e-3, 8)),
        Base = basis,
        Epochs = 10,
        ProbeEpochs = 5,
        Estimator = ProbeEstimator.Annealed,
    };
}
