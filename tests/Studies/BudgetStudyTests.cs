using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Budgets;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Verification;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Studies;

public class BudgetStudyTests
{
    private static readonly StudyPartPlan Language = StudyPartPlan.Of(ModelFamily.Named("chemgpt"), new DataSource { Limit = 300 });

    private static readonly StudyPartPlan Molecules = Language with
    {
        Outline = Language.Outline with { Model = ModelSpec.Of(new ChemGptConfig { Layers = 1, Heads = 4, Positions = 128 }) },
        Validation = 20,
        LearningRates = [3e-3, 1e-2],
        BatchSizes = [8],
        Shapes = [new(null, 4), new(null, 8), new(null, 12), new(null, 16), new(null, 20)],
    };

    private static readonly BudgetPlan Tiny = new() { Parts = [Molecules], Budgets = [1e9, 4e8] };

    [Test]
    public void Every_size_is_trained_to_every_budget_by_a_schedule_of_its_own()
    {
        using var folder = new TemporaryFolder();
        BudgetSummary summary = BudgetStudy.Run(Tiny, folder.Path, "chemscale study --flops 1e9,4e8", new StudyObserver());

        BudgetPart part = summary.Parts.Single();
        Assert.That(part.Points.Select(p => (p.ModelName, p.Budget)).Distinct().Count(), Is.EqualTo(10));
        Assert.That(part.Points, Has.Count.EqualTo(10));
        Assert.That(part.Tuning, Has.Count.EqualTo(5), "each size at the rate that was not chosen");
        foreach (BudgetPoint point in part.Points)
        {
            // Whole steps, and molecules that are not all as long as the mean.
            Expect.Close(point.Flops, point.Budget, relative: 0.06, message: point.Name);
            Expect.Close(point.Flops, 6.0 * point.Parameters * point.Items, relative: 1e-12);
            Experiment experiment = Experiment.Read(Path.Combine(folder.Path, "chemgpt", "budgets", point.Name, "experiment.yaml"));
            Assert.That(experiment.Training.Schedule.Kind, Is.EqualTo(ScheduleKind.Cooldown));
            Assert.That(experiment.Training.LearningRate, Is.EqualTo(point.LearningRate));
        }
        foreach (BudgetPoint other in part.Tuning)
        {
            BudgetPoint chosen = part.Points.Single(p => p.ModelName == other.ModelName && p.Budget == 4e8);
            Expect.AtMost(chosen.Loss, other.Loss!.Value);
            Assert.That(part.Points.Single(p => p.ModelName == other.ModelName && p.Budget == 1e9).LearningRate, Is.EqualTo(chosen.LearningRate));
        }
        Expect.Close(part.Minima.Select(m => m.Compute), new[] { 4e8, 1e9 }, relative: 1e-12);
        Assert.That(part.Parameters.Grade, Is.EqualTo(ClaimGrade.Refused), "two budgets are no law");
        Expect.Descending(part.FastestTo.Select(p => p.Loss!.Value));

        string page = File.ReadAllText(Path.Combine(folder.Path, "budgets.html"));
        Assert.That(page, Does.Contain("10 trainings, each to the end of its own schedule").And.Contain("SYNTHETIC"));
        Assert.That(File.ReadAllLines(Path.Combine(folder.Path, "chemgpt", "budgets.csv")), Has.Length.EqualTo(11));
        string[] drawn = File.ReadAllLines(Path.Combine(folder.Path, "figures", "chemgpt-budgets.csv"));
        Assert.That(drawn.Count(l => l.StartsWith("training,", StringComparison.Ordinal)), Is.EqualTo(10));
        // Powers of ten are raised, in the legend too.
        string drawing = File.ReadAllText(Path.Combine(folder.Path, "figures", "chemgpt-budgets.svg"));
        Assert.That(drawing, Does.Not.Contain("10^").And.Contain("C = 10"));
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "budgets.json")))!;
        Assert.That(json["parts"]![0]!["points"]!.AsArray(), Has.Count.EqualTo(10));

        Assert.That(Verifier.Run([folder.Path]).Problems, Is.Empty);
        string summaryFile = Path.Combine(folder.Path, "budgets.json"), sound = File.ReadAllText(summaryFile);
        string loss = part.Points[0].Loss!.Value.ToString("R", CultureInfo.InvariantCulture);
        Assert.That(sound, Does.Contain(loss));
        File.WriteAllText(summaryFile, sound.Replace(loss, loss[..^1] + (loss[^1] == '1' ? '2' : '1'), StringComparison.Ordinal));
        Assert.That(Verifier.Run([folder.Path]).Problems.Select(p => p.ToString()), Has.Exactly(1).Items.And.Some.Contains("budgets.json"));
        File.WriteAllText(summaryFile, sound);

        BudgetSummary again = BudgetStudy.Run(Tiny, folder.Path, "the same", new StudyObserver());
        Assert.That(again.Parts.Single().Points, Is.EqualTo(part.Points), "taken up, not trained again");
    }

    [Test]
    public void Plans_that_cannot_be_are_refused_before_anything_is_trained()
    {
        Assert.That(() => (Tiny with { Parts = [Molecules with { Shapes = Molecules.Shapes.Take(4).ToArray() }] }).Check(), Refused.With("chemgpt sizes", "4", "5 or more"));
        Assert.That(() => (Tiny with { Budgets = [] }).Check(), Throws.TypeOf<InputException>());
        Assert.That(() => (Tiny with { Budgets = [1e9, double.NaN] }).Check(), Throws.TypeOf<InputException>());
        Assert.That(() => (Tiny with { Budgets = [1e9, 1.1e9] }).Check(), Refused.With("flops", "1E+09 and 1.1E+09", "a fifth"));
        using var folder = new TemporaryFolder();
        Assert.That(() => BudgetStudy.Run(Tiny with { Budgets = [1e6] }, folder.Path, "", new StudyObserver()),
            Refused.With("chemgpt flops", "steps of 8 molecules", "at least 30"));
        Assert.That(Directory.Exists(Path.Combine(folder.Path, "chemgpt", "budgets")), Is.False);
    }
}
