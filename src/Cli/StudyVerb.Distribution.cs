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

    public DistributionOptions Distribution { get; } = new();

    [OptionGroup("Processes and Slurm")]
    [Option("resubmit", HelpText = "With --slurm: submit what is left once more, although it was submitted before.")]
    public bool Resubmit { get; set; }

    [Option("retry-failed", HelpText = "Try runs of OUT that failed once more, with --workers or --slurm.")]
    public bool RetryFailed { get; set; }

    private void CheckDistribution()
    {
        Distribution.Check();
        if (Parallel > 0 && Distribution.Elsewhere) throw new InputException("--parallel", "given beside --workers or --slurm", "one of them");
        if (Resubmit && !Distribution.Slurm) throw new InputException("--resubmit", "given without --slurm", "both");
        if (RetryFailed && !Distribution.Elsewhere)
            throw new InputException("--retry-failed", "given without --workers or --slurm", "one of them", "in one process the same command tries again");
    }

    /// <summary>Null: the study can be run, or collected, in this process.</summary>
    private int? HandOver(StudyFile study, string directory, StudyDisplay display, CancellationToken stop)
    {
        if (!Distribution.Slurm && !RetryFailed) return null;
        var status = StudyStatus.Of(study, directory);
        if (RetryFailed) status.Retry();
        if (!Distribution.Slurm || (!RetryFailed && !Resubmit && !Distribution.DryRun && status.IsEnded)) return null;
        if (!Distribution.DryRun && !Resubmit && !RetryFailed && StudySubmission.IsSubmitted(directory))
        {
            if (Json) Output.Json(status.Steps.Select(s => new { s.Name, s.Counts }));
            else foreach (StudyStep step in status.Steps) Console.WriteLine($"{step.Name}: {step.Counts}");
            Console.Error.WriteLine("not ended yet: the same command reports when it is; --resubmit submits what is left once more, --retry-failed what failed too");
            return NotEnded;
        }
        IReadOnlyList<SlurmJob> jobs = StudySubmission.Run(study, directory, Distribution.Submission, WorkerVerb.Words, submit: !Distribution.DryRun, display.Observer, stop);
        display.Close();
        DistributionOptions.Print(jobs, Json);
        return 0;
    }

    private Action<SweepPlan, CancellationToken>? WorkersOrNull()
    {
        if (Distribution.Workers is not null) return (plan, stop) => Distribution.WorkOff(plan, threads: 1, stop);
        return Distribution.Slurm ? Collect : null;

        // What Slurm has ended is there.
        static void Collect(SweepPlan plan, CancellationToken stop) => stop.ThrowIfCancellationRequested();
    }
}
