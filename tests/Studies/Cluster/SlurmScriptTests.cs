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

    [TestCase("partition", "a\tb"), TestCase("time", "1\n#SBATCH --uid=0"), TestCase("memory", ""), TestCase("more", "qos")]
    [TestCase("more", "--qos=a\nrm"), TestCase("cpus", null)]
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

    [TestCase("--array=0-1"), TestCase("--arr=0-1"), TestCase("-a0-1"), TestCase("-o x.log"), TestCase("--output=x"), TestCase("--no-requeue"), TestCase("--wrap=ls")]
    [TestCase("--partition=other"), TestCase("--part other"), TestCase("-p other")]
    public void An_option_that_a_script_sets_itself_is_refused(string option)
    {
        var options = new SlurmOptions { Partition = "gpu", More = [option] };
        Assert.That(options.Check, Throws.TypeOf<InputException>().With.Message.StartWith("slurm.more: '" + option));
    }

    [Test]
    public void An_option_given_twice_is_refused_and_others_are_taken()
    {
        string[][] doubled = [["--qos=a", "--qos=b"], ["-q a", "--qos=b"], ["--qo=a", "--qos=b"], ["-x n1", "--exclude=n2"], ["-D /a", "-D/b"], ["--chdir=/a", "-D/b"]];
        foreach (string[] twice in doubled)
            Assert.That(new SlurmOptions { More = twice }.Check, Throws.TypeOf<InputException>().With.Message.Contains("each option once"), string.Join(' ', twice));
        Assert.That(new SlurmOptions { More = ["--wait", "--wait-all-nodes=1", "--export=NONE", "--export-file=x", "-e log", "-x n1"] }.Check, Throws.Nothing);
        Assert.That(new SlurmOptions { More = ["--qos=a", "-p gpu", "--mem-per-cpu=1G", "--comment=two words", "--gpus-per-node=2"], Gpus = "1" }.Check, Throws.Nothing);
    }

    // What sbatch reads of a line: Slurm's own rules, as its documentation of quotes and backslashes has them.
    [TestCase("--comment=two words", "--comment=two words"), TestCase("--comment=it's \"quoted\" \\ # $(x) `y`", "--comment=it's \"quoted\" \\ # $(x) `y`")]
    [TestCase("--qos=long", "--qos=long"), TestCase("-q long", "-q", "long")]
    public void An_option_reaches_sbatch_as_it_was_given(string option, params string[] words)
    {
        Assert.That(SbatchWords(SbatchOption.Line(option)), Is.EqualTo(words));
    }

    [TestCase("line\nbreak"), TestCase("back\\slash"), TestCase("bell\u0007")]
    public void A_folder_whose_name_would_say_something_else_is_refused(string name)
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = SweepPlanTests.Plan(folder, "model.width=16,32");
        plan = new SweepPlan(Path.Combine(folder.Path, name), plan.Runs);
        Assert.That(() => SlurmScript.Of(plan, SweepStage.Finish, new SlurmOptions(), call => Words(["x"], call)),
            Throws.TypeOf<InputException>().With.Message.StartWith("slurm: the folder"));
    }

    [TestCase("a; touch ran #"), TestCase("$(touch ran)"), TestCase("`touch ran`"), TestCase("it's \"here\" & touch ran")]
    [TestCase("two  words\u00e9 %A"), TestCase("-n"), TestCase("!! ${IFS}~ *")]
    [Platform("Linux,MacOsX", Reason = "runs bash")]
    public void Nothing_of_a_name_is_run(string name)
    {
        using var folder = new TemporaryFolder();
        string hostile = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(hostile);
        SweepPlan plan = new(hostile, SweepPlanTests.Plan(folder, "model.width=16,32").Runs);
        string script = folder["script.sh"], program = folder["program"];
        File.WriteAllText(program, "#!/bin/bash\nprintf '%s\\n' \"$@\" > \"$BENCH/arguments\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string text = SlurmScript.Of(plan, SweepStage.Finish, new SlurmOptions { More = [$"--comment={name}"], Account = name }, call => Words([program], call));
        File.WriteAllText(script, text);
        foreach (string[] arguments in (string[][])[["-n", script], [script]])
        {
            var start = new ProcessStartInfo("bash", arguments) { WorkingDirectory = folder.Path, RedirectStandardError = true };
            start.Environment["BENCH"] = folder.Path;
            start.Environment["SLURM_ARRAY_TASK_ID"] = "1";
            using Process bash = Process.Start(start)!;
            Assert.That((Ended(bash), bash.StandardError.ReadToEnd()), Is.EqualTo((0, "")));
        }
        Assert.That(File.ReadAllLines(folder["arguments"])[1], Is.EqualTo(hostile));
        Assert.That(Directory.GetFileSystemEntries(folder.Path, "ran", SearchOption.AllDirectories), Is.Empty);
        string[][] lines = [.. text.Split('\n').Where(l => l.StartsWith("#SBATCH", StringComparison.Ordinal)).Select(SbatchWords)];
        Assert.That(lines.Select(l => l.Length), Is.All.EqualTo(1));
        Assert.That(lines.Select(l => l[0]), Is.SupersetOf((string[])[$"--comment={name}", $"--account={name}", $"--output={hostile.Replace("%", "%%")}/slurm/finish-%A-%a.log"]));
    }

    private static string[] SbatchWords(string line)
    {
        Assert.That(line, Does.StartWith("#SBATCH "));
        var words = new List<string>();
        System.Text.StringBuilder? word = null;
        char quote = '\0';
        for (int i = 8; i < line.Length; i++)
        {
            char c = line[i];
            if (c == '\\') (word ??= new()).Append(line[++i]);
            else if (c == quote) quote = '\0';
            else if (quote == '\0' && c is '"' or '\'') (quote, word) = (c, word ?? new());
            else if (quote != '\0' || !char.IsWhiteSpace(c)) (word ??= new()).Append(c);
            else if (word is not null)
            {
                words.Add(word.ToString());
                word = null;
            }
            if (quote == '\0' && c == '#') throw new InvalidOperationException("the rest is a comment");
        }
        if (word is not null) words.Add(word.ToString());
        return [.. words];
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
