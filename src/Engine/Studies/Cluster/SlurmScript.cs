using System.Globalization;
using ChemScale.Engine.Studies.Sweeps;

namespace ChemScale.Engine.Studies.Cluster;

/// <summary>
/// The batch script of one stage. Tasks of an array are runs by index. Slurm's warning (USR1) makes the program write a checkpoint and end with
/// code 75; the script then puts the task back into the queue, and likewise, a few times, a task whose program was killed from outside. The
/// end of the job itself (TERM to the script: scancel, or the limit without a warning) is the end of the task, with a checkpoint.
/// </summary>
public static class SlurmScript
{
    /// <summary>How often a task is queued again after its program was killed.</summary>
    public const int MostRestarts = 5;

    private const string TaskIndex = "$SLURM_ARRAY_TASK_ID";

    /// <param name="plan">Of the sweep.</param>
    /// <param name="stage">What the job does; a selection is one task.</param>
    /// <param name="options">What it asks for.</param>
    /// <param name="command">Words that run a worker.</param>
    public static string Of(SweepPlan plan, SweepStage stage, SlurmOptions options, Func<WorkerCall, IReadOnlyList<string>> command)
    {
        bool array = stage != SweepStage.Select;
        string name = stage.ToString().ToLowerInvariant(), folder = Path.Combine(plan.Directory, "slurm");
        string limit = options.Limit > 0 ? string.Create(CultureInfo.InvariantCulture, $"%{options.Limit}") : "";
        string?[] wanted =
        [
            $"--job-name=chemscale-{name}",
            array ? string.Create(CultureInfo.InvariantCulture, $"--array=0-{plan.Runs.Count - 1}{limit}") : null,
            // A file name is Slurm's to fill in, so a percent sign of the folder is doubled.
            $"--output={Quoted(folder.Replace("%", "%%", StringComparison.Ordinal) + "/" + name + (array ? "-%A-%a.log" : "-%j.log"))}",
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
        var call = new WorkerCall(plan.Directory, options.Cpus) { Stage = stage, Index = array ? TaskIndex : null };
        string work = string.Join(' ', command(call).Select(word => word == TaskIndex ? $"\"{word}\"" : Quoted(word)));
        string task = array ? "\"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"" : "\"$SLURM_JOB_ID\"";
        return $$"""
            #!/bin/bash
            {{string.Join('\n', wanted.Where(w => w is not null).Select(w => "#SBATCH " + w))}}

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

    /// <summary>A word of bash that means the text itself.</summary>
    private static string Quoted(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+=:,%".Contains(c, StringComparison.Ordinal)) ? text : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
