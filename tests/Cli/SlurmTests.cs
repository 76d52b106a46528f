using ChemScale.Tests.House;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Sweeps on a Slurm of the test's own; tests/Cluster/slurm.sh says what is asked of them.</summary>
[Category("Slow")]
public sealed class SlurmTests
{
    private const int NoSlurm = 77;

    [Test]
    public void A_sweep_and_a_search_on_slurm_are_completed_whatever_ends_their_tasks()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Slurm runs on Linux");
        Outcome outcome = CommandLine.StartScript(Path.Combine(Repository.Root, "tests", "Cluster", "slurm.sh")).Wait(TimeSpan.FromMinutes(40));
        TestContext.Out.WriteLine(outcome.Output);
        if (outcome.ExitCode == NoSlurm) Assert.Ignore(outcome.Output.Trim());
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
    }
}
