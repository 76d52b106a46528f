using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Sweeps;

namespace ChemScale.Engine.Studies.Cluster;

/// <summary>A job handed to Slurm. Id: null where only the script was written.</summary>
public sealed record SlurmJob(SweepStage Stage, string Script, string? Id);

/// <summary>
/// Hands a plan to Slurm: one array of runs or, where the plan selects, three jobs that wait for one another: an array of probes, the
/// selection, an array of finishes. The last has a task for every run, and those that were stopped end at once: so no node has to be
/// allowed to submit jobs.
/// </summary>
public static class SlurmSubmission
{
    /// <param name="plan">Already written.</param>
    /// <param name="options">Of every job; the selection takes one processor.</param>
    /// <param name="command">Words that run a worker on the nodes.</param>
    /// <param name="submit">False: write the scripts only.</param>
    /// <exception cref="InputException">There is no sbatch, or it refuses.</exception>
    public static IReadOnlyList<SlurmJob> Run(SweepPlan plan, SlurmOptions options, Func<WorkerCall, IReadOnlyList<string>> command, bool submit)
    {
        options.Check();
        if (plan.Selection is not null && options.More.FirstOrDefault(o => SbatchOption.Name(o) is "dependency" or "d") is { } waits)
            throw new InputException("slurm.more", $"'{waits}'", "no dependency, since the jobs of a selection wait for one another");
        var jobs = new List<SlurmJob>();
        foreach (SweepStage stage in plan.Selection is null ? (SweepStage[])[SweepStage.Finish] : [SweepStage.Probe, SweepStage.Select, SweepStage.Finish])
            jobs.Add(Hand(SlurmTasks.Of(plan, stage), options, command, submit, Dependency(jobs)));
        return jobs;
    }

    /// <summary>Writes one script and, where asked to, submits it.</summary>
    /// <param name="tasks">What the job does.</param>
    /// <param name="options">Checked already.</param>
    /// <param name="command">Words that run a worker on the nodes.</param>
    /// <param name="submit">False: write it only.</param>
    /// <param name="dependency">Options of sbatch that say what it waits for.</param>
    internal static SlurmJob Hand(SlurmTasks tasks, SlurmOptions options, Func<WorkerCall, IReadOnlyList<string>> command, bool submit, string[] dependency)
    {
        DiskStorage.Shared.EnsureDirectory(tasks.Folder);
        string script = Path.Combine(tasks.Folder, tasks.Name + ".sh");
        DiskStorage.Shared.WriteAtomically(script, SlurmScript.Of(tasks, tasks.IsArray ? options : options with { Cpus = 1, Gpus = null }, command));
        return new SlurmJob(tasks.Stage, script, submit ? Submit(script, dependency) : null);
    }

    /// <summary>A job of these waits for another.</summary>
    /// <param name="job">The other; without an id nothing is waited for.</param>
    /// <param name="succeeded">It must have ended well: else the wait is given up.</param>
    internal static string[] After(SlurmJob job, bool succeeded) =>
        job.Id is { } id ? [$"--dependency={(succeeded ? "afterok" : "afterany")}:{id}", "--kill-on-invalid-dep=yes"] : [];

    // The selection waits for the end of all probes, whatever it was: a diverged one is a result, and it looks at the rest itself. The
    // finishes need a selection; without one they would wait for ever.
    private static string[] Dependency(List<SlurmJob> before) => before is [.., var last] ? After(last, succeeded: last.Stage != SweepStage.Probe) : [];

    private static string Submit(string script, string[] dependency)
    {
        var start = new ProcessStartInfo("sbatch") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["--parsable", .. dependency, script]) start.ArgumentList.Add(argument);
        try
        {
            using Process sbatch = Process.Start(start)!;
            Task<string> error = sbatch.StandardError.ReadToEndAsync();
            string output = sbatch.StandardOutput.ReadToEnd();
            sbatch.WaitForExit();
            // JOB, or JOB;CLUSTER.
            return sbatch.ExitCode == 0 ? output.Trim().Split(';')[0]
                : throw new InputException("sbatch", error.Result.Trim().ReplaceLineEndings(" "), "", $"{script} is written; sbatch takes it by hand");
        }
        catch (Win32Exception e)
        {
            throw new InputException("sbatch", e.Message, "Slurm's sbatch on the PATH", $"{script} is written; `dryRun` writes it without submitting");
        }
    }
}

/// <summary>What a job asks Slurm for. Null: what the cluster gives by default.</summary>
public sealed record SlurmOptions
{
    public string? Partition { get; init; }

    public string? Account { get; init; }

    /// <summary>Limit of each task, as sbatch's --time takes it.</summary>
    public string? Time { get; init; }

    public int Cpus { get; init; } = 1;

    /// <summary>As sbatch's --gpus takes it, for each task.</summary>
    public string? Gpus { get; init; }

    /// <summary>As sbatch's --mem takes it.</summary>
    public string? Memory { get; init; }

    /// <summary>Tasks at a time; 0: as many as Slurm likes.</summary>
    public int Limit { get; init; }

    /// <summary>Seconds before the time limit at which a run is put aside. Slurm's clock is coarse: up to a minute late.</summary>
    public int Warning { get; init; } = 120;

    /// <summary>Further options of sbatch, one each, such as --qos=long or --comment=two words; none that a script sets already.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <exception cref="InputException">A value that would not survive in a script.</exception>
    public void Check()
    {
        if (Cpus < 1) throw new InputException("slurm.cpus", $"{Cpus}", "1 or more");
        if (Limit < 0) throw new InputException("slurm.limit", $"{Limit}", "0 (none) or more");
        if (Warning < 1) throw new InputException("slurm.warning", $"{Warning}", "1 or more, in seconds");
        foreach ((string key, string? value) in ((string, string?)[])[
            ("slurm.partition", Partition), ("slurm.account", Account), ("slurm.time", Time), ("slurm.gpus", Gpus), ("slurm.memory", Memory)])
            if (value is not null && (value.Length == 0 || value.Any(char.IsControl))) throw new InputException(key, $"'{value}'", "text on one line");
        foreach (string option in More)
        {
            string name = SbatchOption.Name(option);
            if (name.Length == 0 || option.Any(char.IsControl)) throw new InputException("slurm.more", $"'{option}'", "an option of sbatch, such as --qos=long");
            // Of two, sbatch takes one and says nothing.
            if (SbatchOption.Set(this).FirstOrDefault(own => SbatchOption.Means(name, own)) is { } taken)
                throw new InputException("slurm.more", $"'{option}'", $"an option that the script does not set itself: it has --{taken}");
            if (More.Select(SbatchOption.Name).Count(other => SbatchOption.Means(other, name) || SbatchOption.Means(name, other)) > 1)
                throw new InputException("slurm.more", $"'{option}'", "each option once");
        }
    }
}

/// <summary>Options of sbatch as the lines of a script have them.</summary>
internal static class SbatchOption
{
    private static readonly (string Name, string Letter, Func<SlurmOptions, bool> IsSet)[] Ours =
    [
        ("job-name", "J", _ => true), ("array", "a", _ => true), ("output", "o", _ => true), ("open-mode", "", _ => true), ("requeue", "", _ => true),
        ("no-requeue", "", _ => true), ("nodes", "N", _ => true), ("ntasks", "n", _ => true), ("cpus-per-task", "c", _ => true), ("signal", "", _ => true),
        ("parsable", "", _ => true), ("wrap", "", _ => true), ("partition", "p", o => o.Partition is not null), ("account", "A", o => o.Account is not null),
        ("time", "t", o => o.Time is not null), ("gpus", "G", o => o.Gpus is not null), ("mem", "", o => o.Memory is not null),
    ];

    // Whole names that others begin with.
    private static readonly string[] Whole = ["mem", "gpus", "wait", "ntasks", "time", "export", "gres", "container"];

    // What else has a letter.
    private static readonly (string Name, string Letter)[] Others =
    [
        ("begin", "b"), ("clusters", "M"), ("constraint", "C"), ("core-spec", "S"), ("dependency", "d"), ("chdir", "D"), ("distribution", "m"), ("error", "e"),
        ("exclude", "x"), ("extra-node-info", "B"), ("hold", "H"), ("input", "i"), ("licenses", "L"), ("nodefile", "F"), ("nodelist", "w"), ("no-kill", "k"),
        ("overcommit", "O"), ("oversubscribe", "s"), ("qos", "q"), ("quiet", "Q"), ("verbose", "v"), ("wait", "W"),
    ];

    /// <summary>Names of those that a script sets.</summary>
    public static IEnumerable<string> Set(SlurmOptions options) => Ours.Where(own => own.IsSet(options)).Select(own => own.Name);

    /// <summary>Without dashes: long, or a letter. Empty where it is no option.</summary>
    public static string Name(string option)
    {
        if (!option.StartsWith("--", StringComparison.Ordinal)) return option.Length > 1 && option[0] == '-' && char.IsAsciiLetter(option[1]) ? option[1..2] : "";
        int end = option.AsSpan().IndexOfAny('=', ' ');
        return end < 0 ? option[2..] : option[2..end];
    }

    /// <summary>Whether a name is one of ours, by its letter or cut short, as getopt takes it.</summary>
    public static bool Means(string name, string own) =>
        name.Length == 1 ? name == own || Ours.Select(o => (o.Name, o.Letter)).Concat(Others).Any(o => o.Name == own && o.Letter == name)
            : name.Length > 0 && own.StartsWith(name, StringComparison.Ordinal) && (name == own || !Whole.Contains(name));

    /// <summary>A line of the script. Between double quotes sbatch takes all but backslash and quote as it is.</summary>
    public static string Line(string option)
    {
        int end = option.AsSpan().IndexOfAny('=', ' ');
        return "#SBATCH " + (end < 0 ? Word(option) : option[..(end + 1)] + Word(option[(end + 1)..].TrimStart()));
    }

    private static string Word(string text) => ShellWord.IsPlain(text) ? text
        : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}

/// <summary>Words of bash.</summary>
internal static class ShellWord
{
    /// <summary>Means itself, here and to sbatch.</summary>
    public static bool IsPlain(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+=:,%@".Contains(c, StringComparison.Ordinal));

    /// <summary>A word that means the text itself, line breaks included.</summary>
    public static string Of(string text) => text.Length > 0 && IsPlain(text) ? text : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}

/// <summary>What one job does.</summary>
/// <param name="Name">Of its script.</param>
/// <param name="Directory">Of the plan, or of a study's part.</param>
/// <param name="Stage">Of it.</param>
/// <param name="First">Index of its first run.</param>
/// <param name="Count">Runs, a task each; 0: one task that is no run's.</param>
internal sealed record SlurmTasks(string Name, string Directory, SweepStage Stage, int First, int Count)
{
    public bool IsArray => Count > 0;

    /// <summary>Of scripts and logs.</summary>
    public string Folder => Path.Combine(Directory, "slurm");

    public static SlurmTasks Of(SweepPlan plan, SweepStage stage) =>
        new(stage.ToString().ToLowerInvariant(), plan.Directory, stage, 0, stage == SweepStage.Select ? 0 : plan.Runs.Count);
}

/// <summary>
/// The batch script of one stage. Tasks of an array are runs by index. Slurm's warning (USR1) makes the program write a checkpoint and end with
/// code 75; the script then puts the task back into the queue, and likewise, a few times, a task whose program was killed from outside. The
/// end of the job itself (TERM to the script: scancel, or the limit without a warning) is the end of the task, with a checkpoint.
/// </summary>
internal static class SlurmScript
{
    /// <summary>How often a task is queued again after its program was killed.</summary>
    public const int MostRestarts = 5;

    private const string TaskIndex = "$SLURM_ARRAY_TASK_ID";

    /// <summary>The script of one stage of a sweep.</summary>
    public static string Of(SweepPlan plan, SweepStage stage, SlurmOptions options, Func<WorkerCall, IReadOnlyList<string>> command) =>
        Of(SlurmTasks.Of(plan, stage), options, command);

    /// <param name="tasks">What the job does.</param>
    /// <param name="options">What it asks for.</param>
    /// <param name="command">Words that run a worker.</param>
    public static string Of(SlurmTasks tasks, SlurmOptions options, Func<WorkerCall, IReadOnlyList<string>> command)
    {
        // A line break ends a comment, and what follows is a command; with a backslash Slurm fills in no names.
        if (tasks.Directory.Any(c => char.IsControl(c) || c == '\\'))
            throw new InputException("slurm", $"the folder '{tasks.Directory}'", "a name without line breaks, other control characters and backslashes");
        bool array = tasks.IsArray;
        string name = tasks.Name, folder = tasks.Folder;
        string limit = options.Limit > 0 ? string.Create(CultureInfo.InvariantCulture, $"%{options.Limit}") : "";
        string?[] wanted =
        [
            $"--job-name=chemscale-{name}",
            array ? string.Create(CultureInfo.InvariantCulture, $"--array={tasks.First}-{tasks.First + tasks.Count - 1}{limit}") : null,
            // A file name is Slurm's to fill in, so a percent sign of the folder is doubled.
            $"--output={folder.Replace("%", "%%", StringComparison.Ordinal)}/{name}{(array ? "-%A-%a.log" : "-%j.log")}",
            "--open-mode=append",
            "--requeue",
            "--nodes=1",
            "--ntasks=1",
            string.Create(CultureInfo.InvariantCulture, $"--cpus-per-task={options.Cpus}"),
            string.Create(CultureInfo.InvariantCulture, $"--signal=B:USR1@{options.Warning}"),
            options.Partition is { } partition ? $"--partition={partition}" : null,
            options.Account is { } account ? $"--account={account}" : null,
            options.Time is { } time ? $"--time={time}" : null,
            options.Gpus is { } gpus ? $"--gpus={gpus}" : null,
            options.Memory is { } memory ? $"--mem={memory}" : null,
            .. options.More,
        ];
        var call = new WorkerCall(tasks.Directory, options.Cpus) { Stage = tasks.Stage, Index = array ? TaskIndex : null };
        string work = string.Join(' ', command(call).Select(word => word == TaskIndex ? $"\"{word}\"" : ShellWord.Of(word)));
        string task = array ? "\"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"" : "\"$SLURM_JOB_ID\"";
        return $$"""
            #!/bin/bash
            {{string.Join('\n', wanted.OfType<string>().Select(SbatchOption.Line))}}

            # Exit codes of the program: 0 done, 1 a run failed, 2 a mistake in what was given, 75 put aside at USR1, 143 put aside at TERM.
            ended=
            trap 'kill -USR1 "$child" 2>/dev/null' USR1
            trap 'ended=1; kill -TERM "$child" 2>/dev/null' TERM
            {{work}} </dev/null &
            child=$!
            # A trapped signal ends wait, not the program.
            while :; do
              wait "$child"
              code=$?
              kill -0 "$child" 2>/dev/null || break
            done
            # It may have ended between a signal and the look: bash still knows its own code.
            wait "$child"
            code=$?
            again=
            if [ -z "$ended" ] && [ "$code" -eq 75 ]; then again=1; fi
            if [ -z "$ended" ] && [ "$code" -gt 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt {{MostRestarts.ToString(CultureInfo.InvariantCulture)}} ]; then again=1; fi
            if [ -n "$again" ]; then
              echo "code $code: back into the queue"
              scontrol requeue {{task}} && exit 0
            fi
            exit "$code"

            """.ReplaceLineEndings("\n");
    }
}
