using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>What the display of several runs is told.</summary>
public sealed class ProgressTests
{
    [Test]
    public void A_run_that_is_put_aside_early_is_told_to_have_ended()
    {
        var run = new PlannedRun("early", Experiment.Read(Path.Combine(Workplace.CompleteRun, "experiment.yaml")), Workplace.In("early"));
        var reports = new Reports();
        new LocalRunner { Progress = reports }.Run([run], _ => 2);
        Assert.That(reports.All.Select(r => (r.Step.Step, r.Ended)), Is.EqualTo(new (long, bool)[] { (1, false), (2, false), (2, true) }));
    }

    private sealed class Reports : IProgress<RunProgress>
    {
        public List<RunProgress> All { get; } = [];

        public void Report(RunProgress value) => All.Add(value);
    }
}
