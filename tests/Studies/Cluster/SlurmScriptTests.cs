using System.Diagnostics;
using ChemScale.Engine;
using ChemScale.Engine.Studies.Cluster;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Tests.Studies.Sweeps;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Cluster;

/// <summary>The scripts as text, and as bash runs them: with a program and an scontrol of the test's own.</summary>
public class SlurmScriptTests
{
    [Test]
    public void A_script_asks_for_what_was_asked()
    {
        using var folder = new TemporaryFolder();
        var options = new SlurmOptions
        {
            Partition = "gpu",
            Account = "chem",
            Time = "4:00:00",
            Cpus = 6,
            Gpus = "1",
            Memory = "8G",
            Limit = 4,
            Warning = 90,
            More = ["--qos=long"],
        };
        string[] lines = SlurmScript.Of(SweepPlanTests.Plan(folder, "model.width=16,32,48"), SweepStage.Finish, options, call => Words(["/opt/chem scale", "x"], call)).Split('\n');
        string[] wanted =
        [
            "--array=0-2%4", "--partition=gpu", "--account=chem", "--time=4:00:00", "--cpus-per-task=6", "--gpus=1", "--mem=8G", "--signal=B:USR1@90",
            "--requeue", "--open-mode=append", "--qos=long", $"--output={folder["slurm"]}/finish-%A-%a.log",
        ];
        Assert.That(lines[0], Is.EqualTo("#!/bin/bash"));
        Assert.That(lines, Is.SupersetOf(wanted.Select(w => "#SBATCH " + w)));
        Assert.That(lines.Single(l => l.Contains("worker", StringComparison.Ordinal) && l.EndsWith('&')),
            Is.EqualTo($"'/opt/chem scale' x worker {folder.Path} --stage finish --index \"$SLURM_ARRAY_TASK_ID\" --threads 6 </dev/null &"));
    }

    [Test]
    public void A_plan_that_selects_is_three_jobs_and_the_selection_is_one_task()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = SweepPlanTests.Plan(folder, "model.width=16,32") with { Selection = new SelectionSpec() };
        IReadOnlyList<SlurmJob> jobs = SlurmSubmission.Run(plan, new SlurmOptions(), call => Words(["chemscale"], call), submit: false);
        Assert.That(jobs.Select(j => (j.Stage, j.Id)), Is.EqualTo(new[] { (SweepStage.Probe, (string?)null), (SweepStage.Select, null), (SweepStage.Finish, null) }));
        Assert.That(jobs.Select(j => File.ReadAllText(j.Script).Contains("--array=", StringComparison.Ordinal)), Is.EqualTo(new[] { true, false, true }));
    }

    [TestCase("partition", "a b"), TestCase("time", "1\n#SBATCH --uid=0"), TestCase("memory", ""), TestCase("more", "qos"), TestCase("cpus", null)]
    public void A_value_that_would_say_something_else_in_a_script_is_refused(string key, string? value)
    {
        SlurmOptions options = key switch
        {
            "partition" => new SlurmOptions { Partition = value },
            "time" => new SlurmOptions { Time = value },
            "memory" => new SlurmOptions { Memory = value },
            "more" => new SlurmOptions { More = [value!] },
            _ => new SlurmOptions { Cpus = 0 },
        };
        Assert.That(options.Check, Throws.TypeOf<InputException>().With.Message.StartWith("slurm." + key));
    }

    // The program's end, how often the task was restarted before; whether it goes back into the queue, and the script's own code.
    [TestCase("exit 0", 0, false, 0), TestCase("exit 1", 0, false, 1), TestCase("exit 2", 0, false, 2)]
    [TestCase("exit 75", 0, true, 0), TestCase("exit 75", 100, true, 0), TestCase("kill -KILL $$", 0, true, 0), TestCase("kill -TERM $$", 4, true, 0)]
    [TestCase("kill -KILL $$", 5, false, 137)]
    [Platform("Linux,MacOsX", Reason = "runs bash")]
    public void A_task_goes_back_into_the_queue_when_it_was_put_aside_or_killed(string end, int restarts, bool again, int code)
    {
        using var bench = new Bench($"echo at work >&2; {end}");
        using Process script = bench.Start(restarts);
        Assert.That((Ended(script), bench.Requeued), Is.EqualTo((code, again ? "requeue 7_3" : null)));
        Assert.That(bench.Arguments, Does.EndWith("--stage finish --index 3 --threads 1"));
    }

    // A signal to the script alone, as Slurm's warning is; the program answers as the real one does. And a program that goes on despite it.
    [TestCase("USR1", "trap 'exit 75' USR1 TERM", true, 0)]
    [TestCase("TERM", "trap 'exit 75' USR1; trap 'exit 143' TERM", false, 143)]
    [TestCase("USR1", "trap '' USR1; (sleep 1; kill -TERM $$) &", true, 0)]
    [Platform("Linux,MacOsX", Reason = "runs bash")]
    public void A_signal_reaches_the_program_and_the_end_of_the_job_is_the_end_of_the_task(string signal, string answer, bool again, int code)
    {
        using var bench = new Bench($"{answer}\ntouch \"$BENCH/ready\"\nwhile :; do sleep 0.05; done");
        using Process script = bench.Start(0);
        Assert.That(() => bench.IsReady, Is.True.After(20_000, 20));
        using (var kill = Process.Start("kill", ["-s", signal, $"{script.Id}"])) kill.WaitForExit();
        Assert.That((Ended(script), bench.Requeued), Is.EqualTo((code, again ? "requeue 7_3" : null)));
    }

    private static string[] Words(string[] program, WorkerCall call) =>
    [
        .. program, "worker", call.Directory, "--stage", call.Stage.ToString().ToLowerInvariant(),
        .. call.Index is { } index ? (string[])["--index", index] : [], "--threads", $"{call.Threads}",
    ];

    private static int Ended(Process script)
    {
        if (script.WaitForExit(TimeSpan.FromSeconds(60))) return script.ExitCode;
        script.Kill(entireProcessTree: true);
        throw new TimeoutException("the script did not end");
    }

    private sealed class Bench : IDisposable
    {
        private readonly TemporaryFolder folder = new();
        private readonly string script;

        public Bench(string program)
        {
            Tool("program", $"echo \"$@\" > \"$BENCH/arguments\"\n{program}");
            Tool("scontrol", "echo \"$@\" > \"$BENCH/requeued\"");
            SweepPlan plan = SweepPlanTests.Plan(folder, "model.width=16,32,48,64");
            script = folder["script.sh"];
            File.WriteAllText(script, SlurmScript.Of(plan, SweepStage.Finish, new SlurmOptions(), call => Words([folder["program"]], call)));
        }

        public bool IsReady => File.Exists(folder["ready"]);

        public string? Requeued => File.Exists(folder["requeued"]) ? File.ReadAllText(folder["requeued"]).Trim() : null;

        public string Arguments => File.ReadAllText(folder["arguments"]).Trim();

        public Process Start(int restarts)
        {
            var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
            start.ArgumentList.Add(script);
            start.Environment["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}";
            start.Environment["BENCH"] = folder.Path;
            start.Environment["SLURM_JOB_ID"] = "9";
            start.Environment["SLURM_ARRAY_JOB_ID"] = "7";
            start.Environment["SLURM_ARRAY_TASK_ID"] = "3";
            start.Environment["SLURM_RESTART_COUNT"] = $"{restarts}";
            return Process.Start(start)!;
        }

        public void Dispose() => folder.Dispose();

        private void Tool(string name, string text)
        {
            File.WriteAllText(folder[name], "#!/bin/bash\n" + text + "\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder[name], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }
}
