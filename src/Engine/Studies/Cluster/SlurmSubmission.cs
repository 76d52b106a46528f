using System.ComponentModel;
using System.Diagnostics;
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
        string folder = Path.Combine(plan.Directory, "slurm");
        DiskStorage.Shared.EnsureDirectory(folder);
        var jobs = new List<SlurmJob>();
        foreach (SweepStage stage in plan.Selection is null ? (SweepStage[])[SweepStage.Finish] : [SweepStage.Probe, SweepStage.Select, SweepStage.Finish])
        {
            string script = Path.Combine(folder, stage.ToString().ToLowerInvariant() + ".sh");
            DiskStorage.Shared.WriteAtomically(script, SlurmScript.Of(plan, stage, stage == SweepStage.Select ? options with { Cpus = 1, Gpus = null } : options, command));
            jobs.Add(new SlurmJob(stage, script, submit ? Submit(script, Dependency(jobs)) : null));
        }
        return jobs;
    }

    // The selection waits for the end of all probes, whatever it was: a diverged one is a result, and it looks at the rest itself. The
    // finishes need a selection; without one they would wait for ever.
    private static string[] Dependency(List<SlurmJob> before) => before is [.., { Id: { } id } last]
        ? [$"--dependency={(last.Stage == SweepStage.Probe ? "afterany" : "afterok")}:{id}", "--kill-on-invalid-dep=yes"] : [];

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
            return sbatch.ExitCode == 0 ? output.Trim().Split(';')[0] : throw new InputException("sbatch", error.Result.Trim(), "", $"{script} is written; sbatch takes it by hand");
        }
        catch (Win32Exception e)
        {
            throw new InputException("sbatch", e.Message, "Slurm's sbatch on the PATH", $"{script} is written; `dryRun` writes it without submitting");
        }
    }
}
