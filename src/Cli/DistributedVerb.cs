using ChemScale.Engine;
using ChemScale.Engine.Studies.Cluster;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>A training verb whose runs may go to processes of their own, or to Slurm.</summary>
internal abstract class DistributedVerb : TrainingVerb
{
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

    protected void CheckDistribution()
    {
        if (Slurm && Workers is not null) throw new InputException("--slurm", "given beside --workers", "one of them");
        if (Workers < 1) throw new InputException("--workers", $"{Workers}", "1 or more");
        if (DryRun && !Slurm) throw new InputException("--dry-run", "given without --slurm", "both");
        foreach ((string option, bool given) in (ReadOnlySpan<(string, bool)>)[("--partition", Partition is not null), ("--account", Account is not null), ("--time", Time is not null),
            ("--gpus", Gpus is not null), ("--memory", Memory is not null), ("--array-limit", ArrayLimit != 0), ("--sbatch-option", SbatchOptions.Any())])
            if (given && !Slurm) throw new InputException(option, "given without --slurm", "both");
        SlurmOptions().Check();
    }

    /// <summary>Has a written plan worked off. False: it was handed to Slurm, and there is nothing to tell yet.</summary>
    protected bool Distribute(SweepPlan plan, CancellationToken stop)
    {
        if (Slurm)
        {
            IReadOnlyList<SlurmJob> jobs = SlurmSubmission.Run(plan, SlurmOptions(), WorkerVerb.Words, submit: !DryRun);
            if (Json) Output.Json(jobs);
            else foreach (SlurmJob job in jobs) Console.WriteLine($"{job.Stage.ToString().ToLowerInvariant()}: {(job.Id is { } id ? $"job {id}, " : "")}{job.Script}");
            return false;
        }
        new WorkerProcesses { Count = Workers!.Value, Threads = Threads ?? 0, Say = line => Console.Error.WriteLine(line) }.Run(WorkerVerb.Words, plan.Directory, stop);
        return true;
    }

    private SlurmOptions SlurmOptions() => new()
    {
        Partition = Partition,
        Account = Account,
        Time = Time,
        Cpus = Cpus,
        Gpus = Gpus,
        Memory = Memory,
        Limit = ArrayLimit,
        Warning = Warning,
        More = [.. SbatchOptions],
    };
}
