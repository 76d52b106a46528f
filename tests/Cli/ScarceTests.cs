using ChemScale.Tests.House;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>The commands where something is scarce, or somebody else's; tests/Cluster/scarce.sh says what is asked of them.</summary>
[Category("Slow")]
public sealed class ScarceTests
{
    private const int NoMounts = 77;

    [Test]
    public void Whatever_is_scarce_a_failure_is_one_line_and_loses_nothing()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("file systems are mounted as Linux has it");
        Outcome outcome = CommandLine.StartScript(Path.Combine(Repository.Root, "tests", "Cluster", "scarce.sh")).Wait(TimeSpan.FromMinutes(20));
        TestContext.Out.WriteLine(outcome.Output);
        if (outcome.ExitCode == NoMounts) Assert.Ignore("no file systems can be mounted here");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
    }
}
