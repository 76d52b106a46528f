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
    public DistributionOptions Distribution { get; } = new();

    /// <summary>Has a written plan worked off. False: it was handed to Slurm, and there is nothing to tell yet.</summary>
    protected bool Distribute(SweepPlan plan, CancellationToken stop)
    {
        if (Distribution.Slurm)
        {
            DistributionOptions.Print(SlurmSubmission.Run(plan, Distribution.Submission, WorkerVerb.Words, submit: !Distribution.DryRun), Json);
            return false;
        }
        Distribution.WorkOff(plan, Threads ?? 0, stop);
        return true;
    }
}

/// <summary>The options of every verb whose runs may go to processes of their own, or to Slurm. The parser sets them here; they are kept in <see cref="Distribution"/>.</summary>
internal interface IDistributed
{
    DistributionOptions Distribution { get; }

    [OptionGroup("Processes and Slurm")]
    [Option("workers", HelpText = "Run in this many worker processes, which share nothing but the folder.")]
    int? Workers { get => Distribution.Workers; set => Distribution.Workers = value; }

    [Option("slurm", HelpText = "Write batch scripts and submit them to Slurm: a task for each run.")]
    bool Slurm { get => Distribution.Slurm; set => Distribution.Slurm = value; }

    [Option("dry-run", HelpText = "With --slurm: write the scripts, submit nothing.")]
    bool DryRun { get => Distribution.DryRun; set => Distribution.DryRun = value; }

    [Option("partition", HelpText = "Slurm: partition.")]
    [Key("slurm.partition")]
    string? Partition { get => Distribution.Partition; set => Distribution.Partition = value; }

    [Option("account", HelpText = "Slurm: account.")]
    [Key("slurm.account")]
    string? Account { get => Distribution.Account; set => Distribution.Account = value; }

    [Option("time", HelpText = "Slurm: limit of a task, such as 4:00:00; a run goes on in the next one.")]
    [Key("slurm.time")]
    string? Time { get => Distribution.Time; set => Distribution.Time = value; }

    [Option("cpus", HelpText = "Slurm: processors of a task, and threads of a run (default 1).")]
    [Key("slurm.cpus")]
    int? Cpus { get => Distribution.Cpus; set => Distribution.Cpus = value; }

    [Option("gpus", HelpText = "Slurm: GPUs of a task.")]
    [Key("slurm.gpus")]
    string? Gpus { get => Distribution.Gpus; set => Distribution.Gpus = value; }

    [Option("memory", HelpText = "Slurm: memory of a task, such as 8G.")]
    [Key("slurm.memory")]
    string? Memory { get => Distribution.Memory; set => Distribution.Memory = value; }

    [Option("array-limit", HelpText = "Slurm: tasks at a time (default: as many as it likes).")]
    [Key("slurm.limit")]
    int? ArrayLimit { get => Distribution.ArrayLimit; set => Distribution.ArrayLimit = value; }

    [Option("warning", HelpText = "Slurm: seconds before the limit at which a run is put aside (default 120).")]
    [Key("slurm.warning")]
    int? Warning { get => Distribution.Warning; set => Distribution.Warning = value; }

    [Option("sbatch-option", HelpText = "Slurm: further options of sbatch, such as --sbatch-option=--qos=long.")]
    [Key("slurm.more")]
    IEnumerable<string> SbatchOptions { get => Distribution.SbatchOptions; set => Distribution.SbatchOptions = value; }
}

/// <summary>What those options say, and mean.</summary>
internal sealed class DistributionOptions
{
    public int? Workers { get; set; }

    public bool Slurm { get; set; }

    public bool DryRun { get; set; }

    public string? Partition { get; set; }

    public string? Account { get; set; }

    public string? Time { get; set; }

    public int? Cpus { get; set; }

    public string? Gpus { get; set; }

    public string? Memory { get; set; }

    public int? ArrayLimit { get; set; }

    public int? Warning { get; set; }

    public IEnumerable<string> SbatchOptions { get; set; } = [];

    /// <summary>Not in this process.</summary>
    public bool Elsewhere => Slurm || Workers is not null;

    public SlurmOptions Submission => new()
    {
        Partition = Partition,
        Account = Account,
        Time = Time,
        Cpus = Cpus ?? new SlurmOptions().Cpus,
        Gpus = Gpus,
        Memory = Memory,
        Limit = ArrayLimit ?? 0,
        Warning = Warning ?? new SlurmOptions().Warning,
        More = [.. SbatchOptions],
    };

    public void Check()
    {
        if (Slurm && Workers is not null) throw new InputException("--slurm", "given beside --workers", "one of them");
        if (Workers < 1) throw new InputException("--workers", $"{Workers}", "1 or more");
        foreach ((string option, bool given) in (ReadOnlySpan<(string, bool)>)[
            ("--dry-run", DryRun), ("--partition", Partition is not null), ("--account", Account is not null), ("--time", Time is not null), ("--cpus", Cpus is not null),
            ("--gpus", Gpus is not null), ("--memory", Memory is not null), ("--array-limit", ArrayLimit is not null), ("--warning", Warning is not null),
            ("--sbatch-option", SbatchOptions.Any())])
            if (given && !Slurm) throw new InputException(option, "given without --slurm", "both");
        Submission.Check();
    }

    public void WorkOff(SweepPlan plan, int threads, CancellationToken stop) =>
        new WorkerProcesses { Count = Workers!.Value, Threads = threads, Say = Console.Error.WriteLine }.Run(WorkerVerb.Words, plan.Directory, stop);

    public static void Print(IReadOnlyList<SlurmJob> jobs, bool json)
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
