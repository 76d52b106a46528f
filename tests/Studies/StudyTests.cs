using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Studies;

public class StudyTests
{
    private static readonly StudyPartPlan Language = StudyPartPlan.Of(ModelFamily.Named("chemgpt"), new DataSource { Limit = 300 });

    private static readonly StudyPartPlan Molecules = Language with
    {
        Outline = Language.Outline with { Model = ModelSpec.Of(new ChemGptConfig { Layers = 1, Heads = 4, Positions = 128 }) },
        Validation = 20,
        SearchShape = new(null, 8),
        SearchDocuments = 40,
        LearningRates = [1e-3, 1e-2],
        BatchSizes = [8, 16],
        SearchEpochs = 4,
        ProbeEpochs = 1,
        Shapes = [new(null, 4), new(null, 8), new(null, 16)],
        Subsets = [20, 60],
        MaximumEpochs = 6,
        MaximumSeen = 240,
    };

    private static readonly StudyPlan Tiny = new() { Parts = [Molecules] };

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("chemscale-study-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_small_study_leaves_a_report_and_a_summary_that_agree()
    {
        StudySummary summary = Study.Run(Tiny, folder, "chemscale study", new StudyObserver());

        StudyPart part = summary.Parts.Single();
        Assert.That(part.Data.Synthetic, Is.True);
        Assert.That(part.Selection.Configurations, Has.Count.EqualTo(5), "the grid of four, and Hugging Face's default");
        Assert.That(part.Selection.Configurations.Count(c => c.IsDefault), Is.EqualTo(1));
        Assert.That(part.Selection.Configurations.Count(c => c.Fate == ConfigurationFate.Kept), Is.EqualTo(1));
        Expect.Close(part.Selection.ComputeSaved, (1 - 0.25) * (1 - 1.0 / 5), absolute: 0.25, message: "weighted by the steps of each configuration");
        Assert.That(part.Grid.Points, Has.Count.EqualTo(6));
        foreach (GridPoint point in part.Grid.Points)
        {
            Expect.Close(point.Loss, point.Curve.Min(c => c.Loss), absolute: 1e-12);
            Assert.That(point.Compute, Is.EqualTo(6.0 * point.Parameters * point.ItemsSeen));
            Expect.Close(point.LearningRate, part.Grid.LearningRate * Math.Min(1, 8.0 / int.Parse(point.ModelName[6..])), absolute: 1e-12);
        }
        Assert.That(part.Grid.Fits, Is.Not.Empty);
        string json = File.ReadAllText(Path.Combine(folder, StudyReport.SummaryName));
        Assert.That(SummaryJson.Read(json).Parts.Single().Grid.Points[0].Loss, Is.EqualTo(part.Grid.Points[0].Loss));
        Assert.That(File.ReadAllText(Path.Combine(folder, StudyReport.PageName)), Does.Contain("SYNTHETIC"));
        Assert.That(File.ReadAllLines(Path.Combine(folder, "chemgpt", "points.csv")), Has.Length.EqualTo(7));
    }

    [Test]
    public void The_same_call_takes_up_an_interrupted_study_with_the_same_numbers()
    {
        string whole = Path.Combine(folder, "whole"), broken = Path.Combine(folder, "broken");
        StudySummary expected = Study.Run(Tiny, whole, "", new StudyObserver());
        using var stop = new CancellationTokenSource();
        var observer = new StudyObserver { Steps = new StopAfter(60, stop) };
        Assert.That(() => Study.Run(Tiny, broken, "", observer, stop.Token), Throws.InstanceOf<OperationCanceledException>());
        StudySummary resumed = Study.Run(Tiny, broken, "", new StudyObserver());
        Assert.That(resumed.Parts[0].Grid.Points.Select(p => p.Loss), Is.EqualTo(expected.Parts[0].Grid.Points.Select(p => p.Loss)));
        Assert.That(resumed.Parts[0].Selection.Configurations.Select(c => c.Final), Is.EqualTo(expected.Parts[0].Selection.Configurations.Select(c => c.Final)));
    }

    [Test]
    public void A_probe_as_long_as_the_run_is_refused() =>
        Assert.That(() => Study.Run(new StudyPlan { Parts = [Molecules with { ProbeEpochs = 4 }] }, folder, "", new StudyObserver()), Throws.TypeOf<InputException>());

    [Test]
    public void Force_fields_have_a_part_of_their_own_with_exponents_in_frames()
    {
        string frames = Path.Combine(folder, "frames.npz");
        SpringFrames.Save(frames, 60);
        var source = new DataSource { Frames = [frames], Units = ChemScale.Engine.Atoms.Units.EnergyUnit.ElectronVolt };
        StudyPartPlan[] parts = [.. ((string[])["painn", "schnet"]).Select(name => StudyPartPlan.Of(ModelFamily.Named(name), source) with
        {
            Validation = 5,
            SearchDocuments = 10,
            LearningRates = [1e-3],
            BatchSizes = [5],
            SearchEpochs = 3,
            ProbeEpochs = 1,
            SearchShape = new(1, 4),
            Shapes = [new(1, 4), new(2, 8)],
            Subsets = [5, 20, 40],
            MaximumSeen = 40,
        })];
        StudySummary summary = Study.Run(new StudyPlan { Parts = parts }, Path.Combine(folder, "study"), "", new StudyObserver());
        Assert.That(summary.Parts.Select(p => p.Family), Is.EqualTo(new[] { "PaiNN", "SchNet" }));
        foreach (StudyPart part in summary.Parts)
        {
            Assert.That(part.Selection.Configurations.Select(c => (c.LearningRate, c.BatchSize)), Is.EqualTo(new[] { (1e-3, 5), (1e-3, 10) }));
            Assert.That(part.Selection.Configurations.Single(c => c.IsDefault).BatchSize, Is.EqualTo(10));
            Assert.That(part.Grid.Points.Select(p => (p.ModelName, p.Items)), Is.EquivalentTo(
                from model in (string[])["1 x 4", "2 x 8"] from items in (long[])[5, 20, 40] select (model, items)));
            Assert.That(part.Grid.Points.All(p => p.Items == p.Documents && p.ItemsSeen <= 40 && p.Parameters > 0), Is.True);
        }
        Assert.That(() => ModelFamily.Named("gpt5", "families"), Throws.TypeOf<InputException>().With.Message.StartsWith("families: 'gpt5'").And.Message.Contains("painn"));
        Assert.That(() => Study.Run(new StudyPlan { Parts = [parts[0], parts[0]] }, folder, "", new StudyObserver()), Throws.TypeOf<InputException>());
    }

    private sealed class StopAfter(int steps, CancellationTokenSource stop) : IProgress<ChemScale.Engine.Studies.Runs.RunProgress>
    {
        private int seen;

        public void Report(ChemScale.Engine.Studies.Runs.RunProgress value)
        {
            if (Interlocked.Increment(ref seen) == steps) stop.Cancel();
        }
    }
}
