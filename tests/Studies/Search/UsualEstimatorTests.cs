using ChemScale.Engine;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Search;

/// <summary>What ranks probes where nobody says it, and that what was begun goes on as it began.</summary>
public class UsualEstimatorTests
{
    [TestCase(ScheduleKind.Constant, ProbeEstimator.TseE), TestCase(ScheduleKind.Plateau, ProbeEstimator.TseE)]
    [TestCase(ScheduleKind.Cooldown, ProbeEstimator.AnnealedValidation), TestCase(ScheduleKind.Cosine, ProbeEstimator.Tse)]
    public void It_is_what_suits_the_schedule(ScheduleKind schedule, ProbeEstimator usual)
    {
        using var folder = new TemporaryFolder();
        Assert.That(Search(schedule).Plan(folder["new"]).Spec.Estimator, Is.EqualTo(usual));
        string study = $"families:\n- family: chemgpt\n  training: {{schedule: {{kind: {schedule.ToString().ToLowerInvariant()}}}}}";
        Assert.That(StudyFile.Parse(study, "study.yaml").ToYaml(), Does.Contain($"estimator: {usual.Name()}\n"));
        File.WriteAllText(folder["sweep.yaml"], $"""
            experiment:
              model:
                family: chemgpt
              training:
                epochs: 20
                schedule:
                  kind: {schedule.ToString().ToLowerInvariant()}
            vary:
              seed: [1, 2]
            selection:
              probeEpochs: 4
            """);
        var sweep = SweepFile.Read(folder["sweep.yaml"]);
        Assert.That(sweep.SelectionOf(sweep.Plan(sweep.Experiment, folder["sweep"]), folder["sweep"])!.Estimator, Is.EqualTo(usual));
    }

    [Test]
    public void Runs_of_several_schedules_are_ranked_by_what_suits_all_of_them()
    {
        TrainingSpec Of(ScheduleKind kind) => new() { Schedule = new ScheduleSpec { Kind = kind } };
        TrainingSpec unseen = Of(ScheduleKind.Cooldown) with { ValidationInterval = Interval.Never };
        Assert.That(UsualEstimator.For([Of(ScheduleKind.Cooldown), Of(ScheduleKind.Cooldown)]), Is.EqualTo(ProbeEstimator.AnnealedValidation));
        Assert.That(UsualEstimator.For([Of(ScheduleKind.Cooldown), unseen]), Is.EqualTo(ProbeEstimator.Annealed));
        Assert.That(UsualEstimator.For([Of(ScheduleKind.Cooldown), Of(ScheduleKind.Constant)]), Is.EqualTo(ProbeEstimator.TseE));
        Assert.That(UsualEstimator.For([Of(ScheduleKind.Cooldown), Of(ScheduleKind.Cosine)]), Is.EqualTo(ProbeEstimator.Tse));
    }

    [Test]
    public void A_search_goes_on_by_what_it_began_with_unless_told_otherwise()
    {
        using var folder = new TemporaryFolder();
        RunSelection first = (Search(ScheduleKind.Constant) with { Estimator = ProbeEstimator.LastTrainingLoss }).Plan(folder["search"]);
        new SweepPlan(folder["search"], first.Runs, first.Spec, first.Default).Write();
        Assert.That(Search(ScheduleKind.Constant).Plan(folder["search"]).Spec.Estimator, Is.EqualTo(ProbeEstimator.LastTrainingLoss));
        Assert.That((Search(ScheduleKind.Constant) with { Estimator = ProbeEstimator.Lcga }).Plan(folder["search"]).Spec.Estimator, Is.EqualTo(ProbeEstimator.Lcga));
        RunSelection again = Search(ScheduleKind.Constant).Plan(folder["search"]);
        Assert.That(() => new SweepPlan(folder["search"], again.Runs, again.Spec, again.Default).Write(), Throws.Nothing, "the same search");
    }

    [Test]
    public void A_search_of_version_03_which_wrote_nothing_of_it_keeps_the_papers()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder["search"], "data"));
        Assert.That(UsualEstimator.RecordedIn(folder["search"]), Is.Null, "data alone are no search");
        string run = Path.Combine(folder["search"], "lr-0.001-batch-8");
        Directory.CreateDirectory(run);
        File.WriteAllText(Path.Combine(run, "experiment.yaml"), "");
        Assert.That(Search(ScheduleKind.Constant).Plan(folder["search"]).Spec.Estimator, Is.EqualTo(ProbeEstimator.Tse));
        Directory.CreateDirectory(Path.Combine(folder["planned"], "plan"));
        Assert.That(UsualEstimator.RecordedIn(folder["planned"]), Is.EqualTo(ProbeEstimator.Tse));
    }

    [Test]
    public void A_damaged_record_is_a_mistake_and_no_reason_to_guess()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["search"]);
        File.WriteAllText(Path.Combine(folder["search"], "search.json"), "{\"estimator\": \"best\"}");
        Assert.That(() => UsualEstimator.RecordedIn(folder["search"]), Throws.TypeOf<InputException>().With.Message.Contains("tse-e"));
    }

    private static TrainingPerformanceSearch Search(ScheduleKind schedule) => new()
    {
        Space = SearchSpace.Grid([1e-3, 1e-2], [8]),
        Base = Experiment.Parse("model: {family: chemgpt}\ntraining: {epochs: 10}", "base") with { Training = new TrainingSpec { Epochs = 10, Schedule = new ScheduleSpec { Kind = schedule } } },
        Epochs = 10,
        ProbeEpochs = 5,
    };
}
