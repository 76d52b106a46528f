using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>
/// One of any number of processes, on any number of machines, that bring a sweep to its end. They share nothing but the run directories: a
/// worker claims a run that nobody works on, trains it, and looks for the next. A run whose worker died is taken up where its last
/// checkpoint left it: at once where the death can be seen, else when its claim has been silent for <see cref="RunClaim.Silence"/>.
/// </summary>
public sealed record SweepWorker
{
    public required SweepPlan Plan { get; init; }

    /// <summary>Threads of a run; 0: <see cref="ProcessorBudget"/>.</summary>
    public int Threads { get; init; }

    /// <summary>Only this run; null: any.</summary>
    public int? Index { get; init; }

    public IProgress<RunProgress>? Progress { get; init; }

    /// <summary>Told of every run taken and ended, in a line each.</summary>
    public Action<string> Say { get; init; } = static _ => { };

    /// <summary>Between two looks at runs that others hold.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    internal IStorage Storage { get; init; } = DiskStorage.Shared;

    /// <summary>What this worker has seen of runs that others hold.</summary>
    private ClaimWatch Watch { get; } = new();

    /// <summary>Runs that a full or failing disk stopped, and why: left for now, and not marked, so that the next start takes them up.</summary>
    private Dictionary<PlannedRun, RunFailure> Left { get; } = [];

    /// <summary>Returns when nothing of the stage is left to do, by this or any other worker.</summary>
    /// <param name="stage">What to do.</param>
    /// <param name="stop">Leaves the run in progress with a checkpoint.</param>
    /// <returns>Runs that have failed, divergence included, and those left for now; no news of other stages.</returns>
    /// <exception cref="InputException">The plan has no such stage, or no such run; or a selection lacks a probe.</exception>
    public IReadOnlyList<RunState> Run(SweepStage stage, CancellationToken stop = default)
    {
        if (Index is { } index && (index < 0 || index >= Plan.Runs.Count))
            throw new InputException("index", $"{index}", $"0 to {Plan.Runs.Count - 1}, a run of the plan");
        if (stage == SweepStage.Plan) throw new InputException("stage", "plan", "all, probe, select or finish", "plan is a stage of a study's part");
        RunSelection? search = Plan.Search;
        if (search is null && stage is SweepStage.Probe or SweepStage.Select)
            throw new InputException("stage", stage.ToString().ToLowerInvariant(), "finish, or all", "the plan does not select");
        PlannedRun[] mine = Index is { } only ? [Plan.Runs[only]] : [.. Plan.Runs];
        if (search is null)
        {
            WorkOff(mine, null, stop);
        }
        else
        {
            if (stage is SweepStage.All or SweepStage.Probe)
            {
                WorkOff(mine, search.ProbeStep, stop);
                if (Left.Count == 0) WorkOff([.. search.Branches(mine)], null, stop);
            }
            bool probed = Left.Count == 0;
            if (stage is SweepStage.Select || (stage is SweepStage.All && Index is null && probed)) Select(search);
            if (stage is SweepStage.Finish || (stage is SweepStage.All && probed)) WorkOff([.. Finishing().Intersect(mine)], null, stop);
        }
        return
        [
            .. mine.Select(run => RunState.Of(run)).Select(s => Left.TryGetValue(s.Run, out RunFailure? reason) && s.Stage != RunStage.Complete
                ? s with { Stage = RunStage.Failed, Failure = reason } : s).Where(s => s.Stage == RunStage.Failed),
        ];
    }

    /// <summary>Runs that go on to the end, by the selection that was written.</summary>
    private PlannedRun[] Finishing() => Plan.Kept is { } kept ? [.. kept.Select(i => Plan.Runs[i])]
        : throw new InputException(Plan.Directory, "no selection yet", "the stages probe and select before finish");

    private void Select(RunSelection search)
    {
        // Decided once: the curves of those that go on are already growing.
        if (Plan.Kept is not null) return;
        foreach (RunState state in Plan.Runs.Select(run => RunState.Of(run)))
        {
            if (state is { Stage: RunStage.Failed, Failure.Diverged: false })
                throw new InputException(state.Run.Directory, $"its probe failed: {state.Failure!.Reason}", "a probe to select by", Remedy.RetryFailed);
            if (state.Stage != RunStage.Failed && !IsProbed(state, search))
                throw new InputException(state.Run.Directory, "its probe is not complete", $"{search.ProbeStep(state.Run)} steps", "run the workers of stage probe first");
        }
        ProbeSelection selection;
        try
        {
            selection = search.Select();
        }
        catch (InputException) when (Plan.Kept is not null)
        {
            // Another worker has decided meanwhile, and a curve was read amid a write.
            return;
        }
        HashSet<PlannedRun> finishing = [.. search.Finishing(selection)];
        Plan.Keep([.. Enumerable.Range(0, Plan.Runs.Count).Where(i => finishing.Contains(Plan.Runs[i]))]);
        Say($"selected {Plan.Runs[selection.Best].Name}; {finishing.Count} of {Plan.Runs.Count} go on");
    }

    private static bool IsProbed(RunState state, RunSelection search) => (state.Stage == RunStage.Complete || state.Step >= search.ProbeStep(state.Run))
        && search.Branches([state.Run]).All(branch => RunState.Of(branch) is { Stage: RunStage.Complete } or { Failure.Diverged: true });

    private void WorkOff(PlannedRun[] runs, Func<PlannedRun, long>? until, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            RunState[] left = [.. runs.Where(run => !Left.ContainsKey(run)).Select(run => RunState.Of(run, watch: Watch)).Where(s => Unfinished(s, until))];
            if (left.Length == 0) return;
            bool took = false;
            foreach (RunState state in left.Where(s => s.Stage != RunStage.Running))
            {
                took |= Take(state.Run, until, stop);
                stop.ThrowIfCancellationRequested();
            }
            // Others hold what is left. Should they die, it falls to us.
            if (!took) stop.WaitHandle.WaitOne(Poll);
        }
    }

    private static bool Unfinished(RunState state, Func<PlannedRun, long>? until) => state.Stage switch
    {
        RunStage.Complete or RunStage.Failed => false,
        // Its checkpoint may be ahead of what its owner has yet to write.
        RunStage.Running => true,
        _ => until is null || state.Step < until(state.Run),
    };

    /// <summary>False where somebody else was quicker.</summary>
    private bool Take(PlannedRun run, Func<PlannedRun, long>? until, CancellationToken stop)
    {
        var directory = new RunDirectory(run.Directory, Storage);
        // Held over all that follows: also the record of a failure has one writer.
        using RunClaim? claim = TryClaim(run, directory);
        if (claim is null) return false;
        // Between the look and the claim somebody may have ended it.
        RunState state = RunState.Of(run, held: true);
        if (!Unfinished(state, until)) return false;
        var runner = new LocalRunner { ThreadsPerRun = Threads > 0 ? Threads : ProcessorBudget.Count, Progress = Progress, Warn = Say, Claim = claim, Storage = Storage };
        long? end = until?.Invoke(run);
        try
        {
            Say($"{run.Name}: taken at step {state.Step}");
            RunOutcome outcome = runner.Run([run], end is null ? null : _ => end, stop)[0];
            Say($"{run.Name}: {(outcome.Result is { } result ? $"{result.Reason} at step {result.Steps}" : outcome.Diverged)}");
        }
        catch (RunClaimLostException e)
        {
            // Whoever has it now goes on with it.
            Say($"{run.Name}: {e.Message}");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Say($"{run.Name}: put aside");
            throw;
        }
        catch (Exception e) when (FileErrors.IsOfTheSystem(e))
        {
            // Not the run's: it goes on when there is room again, or another disk.
            Leave(run, e);
        }
#pragma warning disable CA1031 // Whatever it was, it is this run's: kept beside it, told at the end, and no reason to leave the others.
        catch (Exception e)
        {
            string reason = e.Message.ReplaceLineEndings(" ");
            Fail(run, claim, new RunFailure(reason, Diverged: false));
            Say($"{run.Name}: failed: {reason}");
        }
#pragma warning restore CA1031
        return true;
    }

    private RunClaim? TryClaim(PlannedRun run, RunDirectory directory)
    {
        try
        {
            return directory.TryClaim(Watch);
        }
        catch (Exception e) when (FileErrors.IsOfTheSystem(e))
        {
            Leave(run, e);
            return null;
        }
    }

    private void Leave(PlannedRun run, Exception e)
    {
        string reason = e.Message.ReplaceLineEndings(" ");
        Left[run] = new RunFailure(reason, Diverged: false);
        Say($"{run.Name}: stopped for now: {reason}");
    }

    private void Fail(PlannedRun run, RunClaim claim, RunFailure failure)
    {
        try
        {
            claim.EnsureHeld();
            failure.Keep(run.Directory, Storage);
        }
        catch (RunClaimLostException e)
        {
            Say($"{run.Name}: {e.Message}");
        }
    }
}
