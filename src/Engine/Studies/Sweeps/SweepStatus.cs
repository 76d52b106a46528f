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

    private static RunOutcome Outcome(RunState state) => state.Stage == RunStage.Complete
        ? new RunOutcome(state.Run, new RunDirectory(state.Run.Directory).ReadResult(), null)
        : new RunOutcome(state.Run, null, state.Failure!.Reason);
}
