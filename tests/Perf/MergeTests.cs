using System.Text.Json.Nodes;
using ChemScale.Perf;
using ChemScale.Perf.Measuring;
using ChemScale.Perf.Merging;
using ChemScale.Tests.Cli;
using NUnit.Framework;
using Command = ChemScale.Tests.Cli.CommandLine;

namespace ChemScale.Tests.Perf;

/// <summary>Files of many tasks, joined and tabled.</summary>
public sealed class MergeTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("chemscale-merge-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Throughputs_of_tasks_add_up_and_are_set_against_one_task()
    {
        Write("one.json", "7.0", "alpha", 1.0);
        Write("a.json", "7.1", "alpha", 1.0);
        Write("b.json", "7.1", "beta", 2.0);
        Outcome outcome = Command.Here(Program.Main, "merge", folder);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output, Does.Contain("run 7.1: 2 tasks on 2 nodes"));
        Assert.That(outcome.Output, Does.Contain("2 nodes x 75 edges/s = 150 edges/s by 2 tasks, efficiency 75.0 %"));
        JsonNode joined = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "joined.json")))!;
        Assert.That(joined["runs"]!.AsArray().Select(r => (int)r!["tasks"]!), Is.EqualTo((int[])[1, 2]));
        Assert.That((double)joined["records"]![1]!["slowest"]!, Is.EqualTo(50));
    }

    [Test]
    public void Joined_results_are_not_taken_for_results()
    {
        Write("a.json", "7.0", "alpha", 1.0);
        for (int time = 0; time < 2; time++) Assert.That(Command.Here(Program.Main, "merge", folder).ExitCode, Is.Zero);
    }

    [Test]
    public void Without_a_run_of_one_task_the_efficiency_is_unknown()
    {
        Write("a.json", "7.1", "alpha", 1.0);
        Write("b.json", "7.1", "beta", 1.0);
        Assert.That(Command.Here(Program.Main, "merge", folder).Output, Does.Contain("efficiency unknown").And.Contain("no run of one task"));
    }

    [TestCase("version 0.0.1", "0.0.1", 10)]
    [TestCase("edges 11", null, 11)]
    public void Unlike_runs_are_refused_in_one_line(string found, string? version, int edges)
    {
        Write("a.json", "7.1", "alpha", 1.0);
        Write("b.json", "7.1", "beta", 1.0, version, edges);
        Outcome outcome = Command.Here(Program.Main, "merge", folder);
        Assert.That(outcome.ExitCode, Is.EqualTo(2));
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.ErrorLines[0], Does.Contain("b.json").And.Contain(found));
    }

    [TestCase("{}")]
    [TestCase("{\"format\": 1, \"version\": \"0\", \"records\": 3}")]
    [TestCase("not json")]
    public void What_is_no_result_is_refused_in_one_line(string text)
    {
        File.WriteAllText(Path.Combine(folder, "a.json"), text);
        foreach (string verb in (string[])["merge", "table"])
        {
            Outcome outcome = Command.Here(Program.Main, verb, folder);
            Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
            Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        }
    }

    [Test]
    public void A_table_has_a_row_for_each_record_of_ours_and_of_a_peer()
    {
        Write("a.json", "7.0", "alpha", 0.5);
        File.WriteAllText(Path.Combine(folder, "peer.jsonl"), """
            {"benchmark": "radial", "parameters": {"edges": 10}, "side": "torch compile", "reason": "not there"}
            {"benchmark": "radial", "parameters": {"edges": 10}, "side": "torch eager", "pass": "forward", "seconds": {"repeats": 1, "median": 0.25, "lowerQuartile": 0.25, "upperQuartile": 0.25, "least": 0.25, "greatest": 0.25}, "items": 10, "unit": "edges", "itemsPerSecond": 40, "library": "torch 2"}
            """);
        string[] lines = [.. MarkdownTable.Of(ResultFiles.Read(folder))];
        Assert.That(lines, Has.Length.EqualTo(4));
        Assert.That(lines.Select(l => l.Count(c => c == '|')).Distinct().Count(), Is.EqualTo(1));
        Assert.That(lines[2], Does.Contain("| radial | edges 10 | kernels | forward | 500.00 ms |"));
        Assert.That(lines[3], Does.Contain("| torch eager (torch 2) | forward | 250.00 ms |").And.Contain("40 edges/s"));
    }

    private void Write(string file, string group, string host, double seconds, string? version = null, int edges = 10)
    {
        var of = new Case(new JsonObject { ["edges"] = edges }, "edges", 100, "edges");
        new RunResult
        {
            Version = version ?? HostFacts.Version,
            Group = group,
            Host = new HostFacts { HostName = host, Device = "cpu" },
            Records = [Measurement.Of("radial", of, "kernels", new Pass("forward", 1, 1), Summary.Of([seconds]), null)],
        }.Write(Path.Combine(folder, file));
    }
}
