using ChemScale.Engine;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Cluster;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>A study whose runs go to processes of their own, or to Slurm.</summary>
internal sealed partial class StudyVerb : IDistributed
{
    // To be tried again.
    private const int NotEnded = 75;

    [Option("workers", HelpText = "Run in this many worker processes, which share nothing but the folder; one after another for the steps of the study.")]
    public int? Workers { get; set; }

    [Option("slurm", HelpText = "Write batch scripts and submit them to Slurm: a task for each run; the same command later collects the runs and reports.")]
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

    [OptionGroup("Processes and Slurm")]
    [Option("resubmit", HelpText = "With --slurm: submit what is left once more, although it was submitted before.")]
    public bool Resubmit { get; set; }

    [Option("retry-failed", HelpText = "Try runs of OUT that failed once more, with --workers or --slurm.")]
    public bool RetryFailed { get; set; }

    private void CheckDistribution()
    {
        this.Check();
        if (Parallel > 0 && (Slurm || Workers is not null)) throw new InputException("--parallel", "given beside --workers or --slurm", "one of them");
        if (Resubmit && !Slurm) throw new InputException("--resubmit", "given without --slurm", "both");
        if (RetryFailed && !Slurm && Workers is null)
            throw new InputException("--retry-failed", "given without --workers or --slurm", "one of them", "in one process the same command tries again");
    }

    /// <summary>Null: the study can be run, or collected, in this process.</summary>
    private int? HandOver(StudyFile study, string directory, StudyDisplay display, CancellationToken stop)
    {
        if (!Slurm && !RetryFailed) return null;
        var status = StudyStatus.Of(study, directory);
        if (RetryFailed) status.Retry();
        if (!Slurm || (!RetryFailed && !Resubmit && !DryRun && status.IsEnded)) return null;
        if (!DryRun && !Resubmit && !RetryFailed && StudySubmission.IsSubmitted(directory))
        {
            if (Json) Output.Json(status.Steps.Select(s => new { s.Name, s.Counts }));
            else foreach (StudyStep step in status.Steps) Console.WriteLine($"{step.Name}: {step.Counts}");
            Console.Error.WriteLine("not ended yet: the same command reports when it is; --resubmit submits what is left once more, --retry-failed what failed too");
            return NotEnded;
        }
        IReadOnlyList<SlurmJob> jobs = StudySubmission.Run(study, directory, this.Options(), WorkerVerb.Words, submit: !DryRun, display.Observer, stop);
        display.Close();
        this.Print(jobs, Json);
        return 0;
    }

    private Action<SweepPlan, CancellationToken>? WorkersOrNull()
    {
        if (Workers is not null) return (plan, stop) => this.WorkOff(plan, threads: 1, stop);
        return Slurm ? Collect : null;

        // What Slurm has ended is there.
        static void Collect(SweepPlan plan, CancellationToken stop) => stop.ThrowIfCancellationRequested();
    }
}
