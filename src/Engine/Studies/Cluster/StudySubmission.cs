using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Budgets;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;

namespace ChemScale.Engine.Studies.Cluster;

/// <summary>
/// Hands a whole study to Slurm at once: for each family the search's three jobs, one that plans the grid from what they chose, and the
/// grid's; or the least budget's trainings, one that plans the others, and those. When all have ended, the study in this process finds every
/// run complete and reports.
/// </summary>
public static class StudySubmission
{
    private const string JobsName = "slurm.json";

    /// <summary>The study was submitted before.</summary>
    public static bool IsSubmitted(string directory) => File.Exists(Path.Combine(directory, JobsName));

    /// <summary>Prepares all data here, writes the plans that can be, and submits everything.</summary>
    /// <param name="study">Its parts checked.</param>
    /// <param name="directory">Of the study, seen by the nodes under the same name.</param>
    /// <param name="options">Of every job; those that plan or select take one processor.</param>
    /// <param name="command">Words that run a worker on the nodes.</param>
    /// <param name="submit">False: write the scripts only.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves no half store.</param>
    /// <exception cref="InputException">There is no sbatch, or it refuses; or a plan that cannot be.</exception>
    public static IReadOnlyList<SlurmJob> Run(StudyFile study, string directory, SlurmOptions options, Func<WorkerCall, IReadOnlyList<string>> command, bool submit,
        StudyObserver observer, CancellationToken stop = default)
    {
        options.Check();
        if (options.More.FirstOrDefault(o => SbatchOption.Name(o) is "dependency" or "d") is { } waits)
            throw new InputException("slurm.more", $"'{waits}'", "no dependency, since the jobs of a study wait for one another");
        directory = Path.GetFullPath(directory);
        study.Write(directory);
        PreparedPart[] parts = [.. study.Parts.Select(part => PreparedPart.Of(part, Path.Combine(directory, part.Name), observer, stop))];
        study.Write(directory);
        var jobs = new List<SlurmJob>();
        foreach (PreparedPart part in parts)
        {
            SlurmJob before;
            SlurmTasks after;
            if (study.Budgets.Count > 0)
            {
                var grid = BudgetGrid.Of(part, study.Budgets);
                IReadOnlyList<PlannedRun> tuning = grid.Tuning(part.BudgetFolder);
                new SweepPlan(part.BudgetFolder, tuning).Write();
                before = Hand(new SlurmTasks("tuning", part.BudgetFolder, SweepStage.Finish, 0, tuning.Count), []);
                after = new SlurmTasks("budgets", part.BudgetFolder, SweepStage.Finish, tuning.Count, grid.RestCount);
                if (after.Count == 0) continue;
            }
            else
            {
                RunSelection search = part.Search;
                SweepPlan plan = new SweepPlan(part.SearchFolder, search.Runs, search.Spec, search.Default).Write();
                before = Hand(SlurmTasks.Of(plan, SweepStage.Probe), []);
                before = Hand(SlurmTasks.Of(plan, SweepStage.Select), SlurmSubmission.After(before, succeeded: false));
                Hand(SlurmTasks.Of(plan, SweepStage.Finish), SlurmSubmission.After(before, succeeded: true));
                after = new SlurmTasks("grid", part.GridFolder, SweepStage.Finish, 0, part.GridCount);
            }
            // Diverged trainings are results: the planning looks at them itself.
            before = Hand(new SlurmTasks("plan", part.Directory, SweepStage.Plan, 0, 0), SlurmSubmission.After(before, succeeded: before.Stage == SweepStage.Select));
            Hand(after, SlurmSubmission.After(before, succeeded: true));
        }
        if (submit) DiskStorage.Shared.WriteAtomically(Path.Combine(directory, JobsName), JsonSerializer.Serialize(jobs.Select(j => new { j.Script, j.Id })));
        return jobs;

        SlurmJob Hand(SlurmTasks tasks, string[] dependency)
        {
            SlurmJob job = SlurmSubmission.Hand(tasks, options, command, submit, dependency);
            jobs.Add(job);
            return job;
        }
    }

    /// <summary>Plans the grid of a part, or its larger budgets, from the runs that have ended.</summary>
    /// <param name="directory">Of the part, in the folder of its study.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="InputException">No such part; or runs that have not ended.</exception>
    public static void Plan(string directory, StudyObserver observer, CancellationToken stop = default)
    {
        directory = Path.GetFullPath(directory);
        var study = StudyFile.Read(Path.Combine(Path.GetDirectoryName(directory)!, StudyFile.FileName));
        StudyPartPlan plan = study.Parts.FirstOrDefault(p => p.Name == Path.GetFileName(directory))
            ?? throw new InputException(directory, "no part of its study", string.Join(", ", study.Parts.Select(p => p.Name)));
        var part = PreparedPart.Of(plan, directory, observer, stop);
        if (study.Budgets.Count > 0)
        {
            var grid = BudgetGrid.Of(part, study.Budgets);
            IReadOnlyList<PlannedRun> tuning = grid.Tuning(part.BudgetFolder);
            // Not all of the plan's: when it is planned twice, the others are in it.
            RunState[] states = [.. tuning.Select(run => RunState.Of(run))];
            if (states.FirstOrDefault(s => s.Stage != RunStage.Complete && s.Failure is not { Diverged: true }) is { } open)
                throw new InputException(open.Run.Directory, $"the run is {SweepStatus.NameOf(open.Stage)}", "complete, or diverged", Remedy.RetryFailed);
            double?[] losses = [.. states.Select(s => SweepStatus.Outcome(s).Result?.FinalValidationLoss)];
            IReadOnlyList<int> chosen = grid.Chosen(losses);
            IReadOnlyList<PlannedRun> rest = grid.Rest(part.BudgetFolder, [.. chosen.Select(i => tuning[i].Experiment.Training.LearningRate)],
                BudgetGrid.Best([.. chosen.Select(i => losses[i])]));
            new SweepPlan(part.BudgetFolder, [.. tuning, .. rest]).Write();
            return;
        }
        RunSelection search = part.Search;
        PlannedRun best = search.Runs[search.Select().Best];
        observer.Say($"selected {best.Name}");
        new SweepPlan(part.GridFolder, part.Grid(best.Experiment.Training.LearningRate, best.Experiment.Training.BatchSize).Plan(part.GridFolder)).Write();
    }
}

/// <summary>Where the runs of a study stand at the moment of looking.</summary>
/// <param name="Steps">In order.</param>
public sealed record StudyStatus(IReadOnlyList<StudyStep> Steps)
{
    /// <summary>Nothing is left to do: what <see cref="SweepStatus.IsEnded"/> says, of every step.</summary>
    public bool IsEnded => Steps.All(s => s is { Status.IsEnded: true, Unplanned: 0 });

    /// <param name="study">What it consists of.</param>
    /// <param name="directory">Its folder.</param>
    public static StudyStatus Of(StudyFile study, string directory)
    {
        directory = Path.GetFullPath(directory);
        var steps = new List<StudyStep>();
        foreach (StudyPartPlan part in study.Parts)
        {
            int models = part.Models.Count;
            if (study.Budgets.Count > 0)
            {
                Add(part, PreparedPart.BudgetName, models * part.LearningRates.Count + BudgetGrid.CountOfRest(models, study.Budgets.Count));
                continue;
            }
            Add(part, PreparedPart.SearchName, 1);
            Add(part, PreparedPart.GridName, 1);
        }
        return new StudyStatus(steps);

        void Add(StudyPartPlan part, string name, int least)
        {
            string folder = Path.Combine(directory, part.Name, name);
            SweepStatus? status = File.Exists(Path.Combine(folder, SweepPlan.FolderName, SweepPlan.PlanName)) ? SweepStatus.Of(SweepPlan.Read(folder)) : null;
            steps.Add(new StudyStep($"{part.Name}/{name}", status, Math.Max(0, least - (status?.States.Count ?? 0))));
        }
    }

    /// <summary>Lets the runs that failed be tried again.</summary>
    public void Retry()
    {
        foreach (RunState state in Steps.SelectMany(s => s.Status?.States ?? [])) RunFailure.Forget(state.Run.Directory);
    }
}

/// <summary>Runs of a study that are planned together.</summary>
/// <param name="Name">Such as chemgpt/grid.</param>
/// <param name="Status">Null: none is planned yet.</param>
/// <param name="Unplanned">How many more there will be, at least: they wait for what others come to.</param>
public sealed record StudyStep(string Name, SweepStatus? Status, int Unplanned)
{
    /// <summary>How many runs there are of each stage, in words.</summary>
    public string Counts => Status is null ? "not planned yet" : Status.Counts + (Unplanned > 0 ? $", {Unplanned} not planned yet" : "");
}
