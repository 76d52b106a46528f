using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Cluster;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>A training verb whose runs may go to processes of their own, or to Slurm.</summary>
internal abstract class DistributedVerb : TrainingVerb, IDistributed
{
    [OptionGroup("Processes and Slurm")]
    [Option("workers", HelpText = "Run in this many worker processes, which share nothing but the folder.")]
    public int? Workers { get; set; }

    [Option("slurm", HelpText = "Write batch scripts and submit them to Slurm: a task for each run.")]
    public bool Slurm { get; set; }

    [Option("dry-run", HelpText = "With --slurm: write the scripts, submit nothing.")]
    public bool DryRun { get; set; }

    [Option("partition", HelpText = "Slurm: partition.")]
    [Key("slurm.partition")]
    public string? Partition { get; set; }

    [Option("account", HelpText = "Slurm: account.")]
    [Key("slurm.account")]
    public string? Account { get; set; }

    [Option("time", HelpText = "Slurm: limit of a task, such as 4:00:00; a run goes on in the next one.")]
    [Key("slurm.time")]
    public string? Time { get; set; }

    [Option("cpus", Default = 1, HelpText = "Slurm: processors of a task, and threads of a run.")]
    [Key("slurm.cpus")]
    public int Cpus { get; set; }

    [Option("gpus", HelpText = "Slurm: GPUs of a task.")]
    [Key("slurm.gpus")]
    public string? Gpus { get; set; }

    [Option("memory", HelpText = "Slurm: memory of a task, such as 8G.")]
    [Key("slurm.memory")]
    public string? Memory { get; set; }

    [Option("array-limit", HelpText = "Slurm: tasks at a time.")]
    [Key("slurm.limit")]
    public int ArrayLimit { get; set; }

    [Option("warning", Default = 120, HelpText = "Slurm: seconds before the limit at which a run is put aside.")]
    [Key("slurm.warning")]
    public int Warning { get; set; }

    [Option("sbatch-option", HelpText = "Slurm: further options of sbatch, such as --sbatch-option=--qos=long.")]
    [Key("slurm.more")]
    public IEnumerable<string> SbatchOptions { get; set; } = [];

    protected bool Distributed => Slurm || Workers is not null;

    protected void CheckDistribution() => this.Check();

    /// <summary>Has a written plan worked off. False: it was handed to Slurm, and there is nothing to tell yet.</summary>
    protected bool Distribute(SweepPlan plan, CancellationToken stop)
    {
        if (Slurm)
        {
            this.Print(SlurmSubmission.Run(plan, this.Options(), WorkerVerb.Words, submit: !DryRun), Json);
            return false;
        }
        this.WorkOff(plan, Threads ?? 0, stop);
        return true;
    }
}

/// <summary>Options of a verb whose runs may go to processes of their own, or to Slurm.</summary>
internal interface IDistributed
{
    int? Workers { get; }

    bool Slurm { get; }

    bool DryRun { get; }

    string? Partition { get; }

    string? Account { get; }

    string? Time { get; }

    int Cpus { get; }

    string? Gpus { get; }

    string? Memory { get; }

    int ArrayLimit { get; }

    int Warning { get; }

    IEnumerable<string> SbatchOptions { get; }
}

/// <summary>What those options mean.</summary>
internal static class Distribution
{
    public static void Check(this IDistributed verb)
    {
        if (verb.Slurm && verb.Workers is not null) throw new InputException("--slurm", "given beside --workers", "one of them");
        if (verb.Workers < 1) throw new InputException("--workers", $"{verb.Workers}", "1 or more");
        if (verb.DryRun && !verb.Slurm) throw new InputException("--dry-run", "given without --slurm", "both");
        foreach ((string option, bool given) in (ReadOnlySpan<(string, bool)>)[
            ("--partition", verb.Partition is not null), ("--account", verb.Account is not null), ("--time", verb.Time is not null), ("--gpus", verb.Gpus is not null),
            ("--memory", verb.Memory is not null), ("--array-limit", verb.ArrayLimit != 0), ("--sbatch-option", verb.SbatchOptions.Any())])
            if (given && !verb.Slurm) throw new InputException(option, "given without --slurm", "both");
        verb.Options().Check();
    }

    public static SlurmOptions Options(this IDistributed verb) => new()
    {
        Partition = verb.Partition,
        Account = verb.Account,
        Time = verb.Time,
        Cpus = verb.Cpus,
        Gpus = verb.Gpus,
        Memory = verb.Memory,
        Limit = verb.ArrayLimit,
        Warning = verb.Warning,
        More = [.. verb.SbatchOptions],
    };

    public static void WorkOff(this IDistributed verb, SweepPlan plan, int threads, CancellationToken stop) =>
        new WorkerProcesses { Count = verb.Workers!.Value, Threads = threads, Say = Console.Error.WriteLine }.Run(WorkerVerb.Words, plan.Directory, stop);

    public static void Print(this IDistributed _, IReadOnlyList<SlurmJob> jobs, bool json)
    {
        if (json) Output.Json(jobs);
        else foreach (SlurmJob job in jobs) Console.WriteLine($"{Path.GetFileNameWithoutExtension(job.Script)}: {(job.Id is { } id ? $"job {id}, " : "")}{job.Script}");
    }
}

[Verb("worker", HelpText = "Work on a planned sweep: claim runs that nobody works on, one after the other, until nothing is left. Any number of workers may share a folder.")]
[Example("chemscale worker runs/sweep", "Works on a planned sweep until nothing is left.")]
internal sealed class WorkerVerb : Verb
{
    private const int PutAside = 75;

    [Value(0, MetaName = "DIR", Required = true, HelpText = "Folder of the sweep.")]
    public string Directory { get; set; } = "";

    [Option("stage", Default = SweepStage.All, HelpText = "all, probe, select or finish; of a part of a study on Slurm: plan.")]
    public SweepStage Stage { get; set; }

    [Option("index", HelpText = "Only this run of the plan.")]
    public int? Index { get; set; }

    [Option("threads", HelpText = "CPU threads (default: as many as are ours: see doctor).")]
    public int Threads { get; set; }

    [Option("stop-on-closed-input", HelpText = "Put the run aside and end when standard input closes.")]
    public bool StopOnClosedInput { get; set; }

    /// <summary>The command that answers a call.</summary>
    public static IReadOnlyList<string> Words(WorkerCall call) =>
    [
        .. OwnCommand.Words, "worker", call.Directory,
        .. call.Stage == SweepStage.All ? (string[])[] : ["--stage", call.Stage.ToString().ToLowerInvariant()],
        .. call.Index is { } index ? (string[])["--index", index] : [],
        "--threads", call.Threads.ToString(CultureInfo.InvariantCulture),
        .. call.StopOnClosedInput ? (string[])["--stop-on-closed-input"] : [],
    ];

    public override int Run(CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (StopOnClosedInput) WatchInput(both);
        if (Stage == SweepStage.Plan)
        {
            if (Index is not null) throw new InputException("--index", "given beside --stage plan", "one of them");
            StudySubmission.Plan(Directory, new StudyObserver { Say = Console.Error.WriteLine, Warn = Console.Error.WriteLine }, both.Token);
            return 0;
        }
        var worker = new SweepWorker
        {
            Plan = SweepPlan.Read(Directory),
            Index = Index,
            Threads = Threads,
            Say = line => Console.Error.WriteLine(line),
        };
        IReadOnlyList<RunState> failed;
        try
        {
            failed = worker.Run(Stage, both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Whoever started it is gone, or wants it to stop: put aside, to be gone on with.
            return PutAside;
        }
        if (Json) Output.Json(failed.Select(f => new { f.Run.Name, f.Failure!.Reason, f.Failure.Diverged }));
        else foreach (RunState state in failed) Console.WriteLine($"{state.Run.Name}: {state.Failure!.Reason}");
        // A diverged run is a result; one that could not run is not.
        return failed.Any(f => !f.Failure!.Diverged) ? 1 : 0;
    }

    private static void WatchInput(CancellationTokenSource stop)
    {
        var watch = new Thread(() =>
        {
            while (Console.In.ReadLine() is not null) continue;
            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The work is already done.
                return;
            }
        })
        { IsBackground = true };
        watch.Start();
    }
}
