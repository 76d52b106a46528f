using System.Globalization;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>Where all runs of a sweep stand at the moment of looking.</summary>
/// <param name="Plan">Of the sweep.</param>
/// <param name="States">In the order of its runs; those that a selection stopped are told apart.</param>
public sealed record SweepStatus(SweepPlan Plan, IReadOnlyList<RunState> States)
{
    /// <summary>Nothing is left to do: every run is complete, stopped by the selection, or failed.</summary>
    public bool IsEnded => States.All(s => s.Stage is RunStage.Complete or RunStage.Stopped or RunStage.Failed);

    /// <summary>Ended, and every failure was a divergence, which is a result.</summary>
    public bool IsDone => IsEnded && States.All(s => s.Failure is null or { Diverged: true });

    /// <summary>How many runs there are of each stage, in words.</summary>
    public string Counts => string.Join(", ", States.GroupBy(s => s.Stage).OrderBy(g => g.Key).Select(g => $"{g.Count()} {NameOf(g.Key)}"));

    public static SweepStatus Of(SweepPlan plan)
    {
        IReadOnlyList<int>? kept = plan.Kept;
        return new SweepStatus(plan, [.. plan.Runs.Select((run, i) => Selected(RunState.Of(run), kept is null || kept.Contains(i)))]);
    }

    /// <summary>Writes sweep.csv; see <see cref="Sweep.WriteTable"/>. Runs that were stopped are not in it: their losses are no final ones.</summary>
    /// <returns>Its path; null where something is left to do.</returns>
    public string? WriteTable() => !IsEnded ? null : Sweep.WriteTable(Plan.Directory,
        [.. States.Where(s => s.Stage == RunStage.Complete || s.Failure is { Diverged: true }).Select(Outcome)],
        [.. States.Where(s => s.Failure is { Diverged: false }).Select(s => s.Run)]);

    /// <summary>A stage as the table has it.</summary>
    public static string NameOf(RunStage stage) => stage == RunStage.PutAside ? "put aside" : stage.ToString().ToLowerInvariant();

    private static RunState Selected(RunState state, bool goesOn) =>
        goesOn || state.Stage is not (RunStage.PutAside or RunStage.Abandoned) ? state : state with { Stage = RunStage.Stopped, Holder = null };

    internal static RunOutcome Outcome(RunState state) => state.Stage == RunStage.Complete
        ? new RunOutcome(state.Run, new RunDirectory(state.Run.Directory).ReadResult(), null)
        : new RunOutcome(state.Run, null, state.Failure!.Reason);
}

public enum RunStage
{
    /// <summary>Nothing is there yet.</summary>
    Waiting,

    /// <summary>A process is at work on it.</summary>
    Running,

    /// <summary>It has begun and was put aside with a checkpoint; nobody is at work on it.</summary>
    PutAside,

    /// <summary>Whoever was at work on it is dead or silent; it is taken up from its last checkpoint.</summary>
    Abandoned,

    /// <summary>It was probed, and selection stopped it.</summary>
    Stopped,

    Complete,

    /// <summary>It diverged or could not run; nobody tries again by himself.</summary>
    Failed,
}

/// <summary>Where a run of a sweep stands, read from its directory alone.</summary>
/// <param name="Run">Which.</param>
/// <param name="Stage">Where it stands.</param>
/// <param name="Step">Of its newest checkpoint; 0 without one.</param>
/// <param name="Holder">Who is at work on it, or was when it was abandoned.</param>
/// <param name="Failure">Why it failed.</param>
public sealed record RunState(PlannedRun Run, RunStage Stage, long Step, ClaimHolder? Holder, RunFailure? Failure)
{
    /// <param name="run">Which.</param>
    /// <param name="held">The caller holds its claim: it is then never Running.</param>
    /// <param name="watch">What the caller, who comes again, has seen of claims; null: this is a look and no more.</param>
    public static RunState Of(PlannedRun run, bool held = false, ClaimWatch? watch = null)
    {
        var directory = new RunDirectory(run.Directory);
        long step = StepOf(directory);
        // A run that was given up once and then completed has not failed.
        if (directory.IsDone) return new RunState(run, RunStage.Complete, step, null, null);
        ClaimHolder? holder = held ? null : RunClaim.HolderOf(run.Directory, watch);
        if (holder is { Abandoned: false }) return new RunState(run, RunStage.Running, step, holder, null);
        // It may have ended between the two looks.
        if (directory.IsDone) return new RunState(run, RunStage.Complete, step, null, null);
        if (RunFailure.Of(run.Directory) is { } failure) return new RunState(run, RunStage.Failed, step, null, failure);
        RunStage left = holder is not null ? RunStage.Abandoned : directory.IsStarted ? RunStage.PutAside : RunStage.Waiting;
        return new RunState(run, left, step, holder, null);
    }

    /// <summary>Steps that a checkpoint holds.</summary>
    private static long StepOf(RunDirectory directory)
    {
        if (!Directory.Exists(directory.CheckpointsPath)) return 0;
        try
        {
            return directory.Checkpoints().List()
                .Select(name => long.TryParse(name.AsSpan(name.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : 0)
                .DefaultIfEmpty(0).Max();
        }
        catch (DirectoryNotFoundException)
        {
            return 0;
        }
    }
}
