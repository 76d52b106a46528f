using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ChemScale.Cli;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Cluster;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Runs;
using global::CommandLine;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>A study of a file in one process, in workers that are killed, and on a scheduler: the same runs, the same numbers.</summary>
[Platform("Linux,MacOsX", Reason = "sends signals, runs scripts")]
[NonParallelizable]
public sealed class StudyScaleTests
{
    private static readonly string[] Small =
    [
        "- family: chemgpt",
        "  source: {limit: 300}",
        "  model: {layers: 1, heads: 4, positions: 128}",
        "  training: {checkpointInterval: 5 steps}",
        "  validation: 20",
        "  batchSizes: 8",
    ];

    private static string Grid => Workplace.Write("grid-study.yaml", string.Join('\n', [
        "families:", .. Small, "  shapes: [4, 8]", "  learningRates: [1e-3]",
        "  search: {documents: 80, shape: 8, epochs: 6, probeEpochs: 1, start: {learningRate: 1e-2, batchSize: 8}}", "  grid: {subsets: [40, 160], maximumEpochs: 10, maximumSeen: 800}",
    ]));

    private static string Budgets => Workplace.Write("budget-study.yaml", string.Join('\n', [
        "flops: [4e8, 1e9]", "families:", .. Small, "  shapes: [4, 8, 12, 16, 20]", "  learningRates: [1e-2]",
    ]));

    private StudySummary expected = null!;

    [OneTimeSetUp]
    public void Run_in_one_process()
    {
        Outcome outcome = CommandLine.Here("study", "--file", Grid, "--parallel", "1", "--out", Workplace.In("study-alone"));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        expected = Summary("study-alone");
    }

    [Test]
    public void A_study_killed_with_its_workers_goes_on_to_the_same_numbers()
    {
        string[] command = ["study", "--file", Grid, "--workers", "2", "--out", Workplace.In("study-workers")];
        RunningCommand parent = CommandLine.Start(command);
        Assert.That(parent.Await(() => Claims("study-workers") > 0), Is.True);
        parent.Signal("KILL");
        Assert.That(parent.Wait().ExitCode, Is.EqualTo(137));
        Assert.That(() => Claims("study-workers"), Is.Zero.After(60_000, 50), "orphans put their runs aside");
        Assert.That(File.Exists(Path.Combine(Workplace.In("study-workers"), StudyReport.PageName)), Is.False);

        Outcome rest = CommandLine.Run(command);
        Assert.That(rest.ExitCode, Is.Zero, rest.ToString());
        AssertSame(Summary("study-workers"));
    }

    [Test]
    public void A_study_on_a_scheduler_is_one_chain_of_jobs_and_the_same_command_reports()
    {
        using var scheduler = new Scheduler("study-slurm");
        string[] command = ["study", "--file", Grid, "--slurm", "--cpus", "1", "--out", Workplace.In("study-slurm")];
        Outcome submitted = CommandLine.Here(command);
        Assert.That(submitted.ExitCode, Is.Zero, submitted.ToString());
        Assert.That(scheduler.Jobs.Select(j => (j.Name, j.Dependency)), Is.EqualTo(new[]
        {
            ("probe", ""), ("select", "afterany:1"), ("finish", "afterok:2"), ("plan", "afterok:2"), ("grid", "afterok:4"),
        }));
        Outcome early = CommandLine.Here(command);
        Assert.That(early.ExitCode, Is.EqualTo(75), early.ToString());
        Assert.That(early.Output, Does.Contain("chemgpt/tpe: 2 waiting").And.Contain("chemgpt/grid: not planned yet"));
        Assert.That(scheduler.Jobs, Has.Length.EqualTo(5), "nothing is submitted twice");

        scheduler.RunAll();
        Outcome collected = CommandLine.Here(command);
        Assert.That(collected.ExitCode, Is.Zero, collected.ToString());
        AssertSame(Summary("study-slurm"));
        Assert.That(scheduler.Jobs, Has.Length.EqualTo(5));
    }

    [Test]
    public void Compute_budgets_on_a_scheduler_are_planned_from_the_least_of_them()
    {
        Outcome alone = CommandLine.Here("study", "--file", Budgets, "--parallel", "1", "--out", Workplace.In("budgets-alone"));
        Assert.That(alone.ExitCode, Is.Zero, alone.ToString());
        using var scheduler = new Scheduler("budgets-slurm");
        string[] command = ["study", "--file", Budgets, "--slurm", "--out", Workplace.In("budgets-slurm")];
        Assert.That(CommandLine.Here(command).ExitCode, Is.Zero);
        Assert.That(scheduler.Jobs.Select(j => (j.Name, j.Dependency)), Is.EqualTo(new[] { ("tuning", ""), ("plan", "afterany:1"), ("budgets", "afterok:2") }));
        Assert.That(scheduler.Jobs[2].Tasks, Is.EqualTo(Enumerable.Range(5, 5)));
        scheduler.RunAll();
        Outcome collected = CommandLine.Here(command);
        Assert.That(collected.ExitCode, Is.Zero, collected.ToString());
        Assert.That(Table("budgets-slurm"), Is.EqualTo(Table("budgets-alone")));

        static IEnumerable<string> Table(string study) => File.ReadLines(Path.Combine(Workplace.In(study), "chemgpt", "budgets.csv")).Select(line => line[..line.LastIndexOf(',')]);
    }

    [Test]
    public void A_run_that_failed_is_named_and_tried_again_where_asked_to()
    {
        using var scheduler = new Scheduler("study-failed");
        string[] command = ["study", "--file", Grid, "--slurm", "--out", Workplace.In("study-failed")];
        Assert.That(CommandLine.Here(command).ExitCode, Is.Zero);
        scheduler.RunAll();
        var run = SweepPlan.Read(Path.Combine(Workplace.In("study-failed"), "chemgpt", "grid")).Runs[0];
        File.Delete(new RunDirectory(run.Directory).DonePath);
        new ChemScale.Engine.Studies.Runs.RunFailure("the node was on fire", Diverged: false).Keep(run.Directory);
        Outcome failed = CommandLine.Here(command);
        Assert.That(failed.ExitCode, Is.EqualTo(2), failed.ToString());
        Assert.That(failed.Error, Does.Contain(run.Directory).And.Contain("the node was on fire").And.Contain("--retry-failed"));

        Assert.That(CommandLine.Here([.. command, "--retry-failed"]).ExitCode, Is.Zero);
        scheduler.RunAll();
        Assert.That(CommandLine.Here(command).ExitCode, Is.Zero);
        AssertSame(Summary("study-failed"));
    }

    [TestCase("--families painn"), TestCase("--families chemgpt,painn"), TestCase("--constraints x.json"), TestCase("--cpus 2"), TestCase("--warning 60")]
    [TestCase("--units eV"), TestCase("--widths 8,16"), TestCase("--flops 1e9"), TestCase("--no-validate"), TestCase("--grammar 2.1"), TestCase("--limit 20")]
    [TestCase("--frames x.npz"), TestCase("--resubmit"), TestCase("--workers 2 --slurm"), TestCase("--workers 2 --parallel 2"), TestCase("--dry-run"), TestCase("--retry-failed")]
    public void An_option_that_the_file_says_or_nothing_uses_is_refused(string options)
    {
        Outcome outcome = CommandLine.Here(["study", "--file", Grid, "--out", Workplace.In("study-refused"), .. options.Split(' ')]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(Directory.Exists(Workplace.In("study-refused")), Is.False);
    }

    [TestCase("--families chemgpt,painn --frames nowhere.xyz", "--frames: nowhere.xyz: no such file")]
    [TestCase("--molecules nowhere.smi", "--molecules: nowhere.smi: no such file")]
    [TestCase("--file nowhere.yaml", "nowhere.yaml: no such file"), TestCase("--flops 1e11,many", "option 'flops' is '1e11,many'; expected a number each")]
    [TestCase("--search-epochs 1", "--search-epochs: 1; expected 2 or more")]
    public void What_a_study_lacks_is_told_before_anything_is_trained(string options, string said)
    {
        Outcome outcome = CommandLine.Here(["study", "--out", Workplace.In("study-lacks"), .. options.Split(' ')]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain(said));
        Assert.That(Directory.Exists(Workplace.In("study-lacks")), Is.False);
    }

    [Test]
    public void Another_seed_overrides_the_files_and_is_said()
    {
        Outcome outcome = CommandLine.Here("study", "--file", Budgets, "--seed", "5", "--slurm", "--dry-run", "--out", Workplace.In("study-seed"));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Error, Does.Contain($"--seed overrides {Budgets}"));
        Assert.That(StudyFile.Read(Path.Combine(Workplace.In("study-seed"), StudyFile.FileName)).Parts[0].Seed, Is.EqualTo(5));
        Assert.That(StudySubmission.IsSubmitted(Workplace.In("study-seed")), Is.False);
    }

    [Test]
    public void Every_option_beside_a_file_is_honoured_or_refused()
    {
        string[] honoured = ["file", "molecules", "tokenizer", "frames", "units", "seed", "out", "json", "parallel", "workers", "slurm"];
        string[] ofSlurm = ["dry-run", "partition", "account", "time", "cpus", "gpus", "memory", "array-limit", "warning", "sbatch-option", "resubmit", "retry-failed"];
        foreach (PropertyInfo property in Help.Declared(typeof(StudyVerb)))
        {
            if (property.GetCustomAttribute<OptionAttribute>() is not { LongName: var name } || honoured.Contains(name)) continue;
            string[] value = property.PropertyType == typeof(bool) ? [] : name == "representation" ? ["smiles"] : ["1"];
            Outcome outcome = CommandLine.Here(["study", "--file", Grid, "--out", Workplace.In("study-refused"), "--" + name, .. value]);
            Assert.That(outcome.ExitCode, Is.EqualTo(2), $"--{name}: {outcome}");
            Assert.That(outcome.Error, Does.Contain("--" + name).And.Contain(ofSlurm.Contains(name) ? "given without --" : "given beside --file"));
        }
        Assert.That(Directory.Exists(Workplace.In("study-refused")), Is.False);
    }

    private void AssertSame(StudySummary summary)
    {
        StudyPart found = summary.Parts.Single(), wanted = expected.Parts.Single();
        Assert.That(found.Grid.Points.Select(p => (p.Name, p.Loss, p.ItemsSeen)), Is.EqualTo(wanted.Grid.Points.Select(p => (p.Name, p.Loss, p.ItemsSeen))));
        Assert.That(found.Selection.Configurations.Select(c => (c.Name, c.Estimate, c.Final, c.Fate)),
            Is.EqualTo(wanted.Selection.Configurations.Select(c => (c.Name, c.Estimate, c.Final, c.Fate))));
    }

    private static StudySummary Summary(string study) => SummaryJson.Read(File.ReadAllText(Path.Combine(Workplace.In(study), StudyReport.SummaryName)));

    private static int Claims(string study) => !Directory.Exists(Workplace.In(study)) ? 0
        : Directory.EnumerateFiles(Workplace.In(study), "experiment.yaml", SearchOption.AllDirectories)
            .Count(f => RunClaim.HolderOf(Path.GetDirectoryName(f)!) is { Abandoned: false });

    /// <summary>An sbatch on the path that writes down what it is given; the jobs are run when they are asked for, each task as its script says.</summary>
    private sealed class Scheduler : IDisposable
    {
        private readonly string path = Environment.GetEnvironmentVariable("PATH")!;
        private readonly string folder;

        public Scheduler(string name)
        {
            folder = Workplace.In(name + "-scheduler");
            Directory.CreateDirectory(folder);
            string sbatch = Path.Combine(folder, "sbatch");
            File.WriteAllText(sbatch, $"#!/bin/bash\necho \"$@\" >> '{folder}/log'\ngrep -c . '{folder}/log'\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(sbatch, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            Environment.SetEnvironmentVariable("PATH", $"{folder}:{path}");
        }

        public sealed record Job(string Name, string Dependency, string[] Worker, int[] Tasks);

        private int run;

        public Job[] Jobs => [.. File.ReadLines(Path.Combine(folder, "log")).Select(Of)];

        /// <summary>Those that were not run yet.</summary>
        public void RunAll()
        {
            foreach (Job job in Jobs.Skip(run))
            {
                foreach (int task in job.Tasks)
                {
                    Outcome outcome = CommandLine.Here([.. job.Worker.Select(word => word == "\"$SLURM_ARRAY_TASK_ID\"" ? task.ToString(CultureInfo.InvariantCulture) : word)]);
                    Assert.That(outcome.ExitCode, Is.Zero, $"{job.Name} {task}: {outcome}");
                }
                run++;
            }
        }

        public void Dispose() => Environment.SetEnvironmentVariable("PATH", path);

        private static Job Of(string line)
        {
            string script = line[(line.LastIndexOf(' ') + 1)..], text = File.ReadAllText(script);
            string dependency = Regex.Match(line, @"--dependency=(\S+)").Groups[1].Value;
            string work = text.Split('\n').Single(l => l.EndsWith("</dev/null &", StringComparison.Ordinal));
            Match array = Regex.Match(text, @"--array=(\d+)-(\d+)");
            int first = array.Success ? int.Parse(array.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
            int last = array.Success ? int.Parse(array.Groups[2].Value, CultureInfo.InvariantCulture) : 0;
            string[] words = work[work.IndexOf(" worker ", StringComparison.Ordinal)..^"</dev/null &".Length].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new Job(Path.GetFileNameWithoutExtension(script), dependency, words, [.. Enumerable.Range(first, last - first + 1)]);
        }
    }
}
