using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies;

/// <summary>One part of a study with its data: which runs it consists of.</summary>
/// <param name="Plan">What to run.</param>
/// <param name="Directory">Of the part.</param>
/// <param name="Facts">Of its data.</param>
/// <param name="Basis">Everything but model, data size, learning rate, batch size and length.</param>
internal sealed record PreparedPart(StudyPartPlan Plan, string Directory, DataFacts Facts, Experiment Basis)
{
    public const string StoreName = "data";
    public const string SearchName = "tpe";
    public const string GridName = "grid";
    public const string BudgetName = "budgets";

    public string Store => StoreOf(Directory);

    public string SearchFolder => Path.Combine(Directory, SearchName);

    public string GridFolder => Path.Combine(Directory, GridName);

    public string BudgetFolder => Path.Combine(Directory, BudgetName);

    /// <summary>The search of the part.</summary>
    public RunSelection Search => new TrainingPerformanceSearch
    {
        Space = SearchSpace.Grid(Plan.LearningRates, Plan.BatchSizes, Plan.Default),
        Base = Basis with { Data = Basis.Data with { Subset = Math.Min(Plan.SearchDocuments, Facts.Train) } },
        Epochs = Plan.SearchEpochs,
        ProbeEpochs = Plan.ProbeEpochs,
        Validate = Plan.ValidateSearch,
        Estimator = Plan.Estimator,
    }.Plan(SearchFolder);

    /// <summary>Models as the store needs them, smallest first.</summary>
    public GridModel[] Models => [.. Plan.Models.Select(model => model with { Config = Plan.Fitted(model, Store) })];

    /// <param name="plan">What to run.</param>
    /// <param name="directory">Of the part; data that are there are taken up.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves no half store.</param>
    public static PreparedPart Of(StudyPartPlan plan, string directory, StudyObserver observer, CancellationToken stop)
    {
        directory = Path.GetFullPath(directory);
        DataFacts facts = plan.Prepare(StoreOf(directory), observer, stop);
        return new PreparedPart(plan, directory, facts, plan.Basis(StoreOf(directory)));
    }

    /// <summary>Data sizes of the grid.</summary>
    private long[] Subsets => [.. Plan.Subsets.Select(s => Math.Min(s, Facts.Train)).Distinct().Order()];

    /// <summary>How many runs the grid has, whatever the search will choose.</summary>
    public int GridCount => Plan.Shapes.Count * Subsets.Length;

    /// <summary>The grid, at the rate and batch size that a search chose.</summary>
    public ScalingGrid Grid(double learningRate, int batchSize) => new()
    {
        Base = Basis with { Training = Basis.Training with { LearningRate = learningRate, BatchSize = batchSize } },
        Models = Models,
        Subsets = Subsets,
        DocumentName = Plan.DocumentName,
        MaximumEpochs = Plan.MaximumEpochs,
        MaximumSeen = Plan.MaximumSeen,
        RateWidth = Plan.RateServesAllWidths ? 0 : Plan.SearchModel.Width,
    };

    private static string StoreOf(string directory) => Path.Combine(directory, StoreName);
}

/// <summary>Who trains the runs of a study.</summary>
/// <param name="Runner">This process.</param>
/// <param name="Workers">Others, who work off a written plan and return when nothing is left; null: this process.</param>
internal sealed record StudyTrainer(LocalRunner Runner, Action<SweepPlan, CancellationToken>? Workers)
{
    /// <param name="parallel">Runs side by side; 0: one for each thread of <see cref="ProcessorBudget"/>.</param>
    /// <param name="workers">As <see cref="Workers"/>.</param>
    /// <param name="observer">Told of every step.</param>
    public static StudyTrainer Of(int parallel, Action<SweepPlan, CancellationToken>? workers, StudyObserver observer) => new(
        new LocalRunner { Parallel = parallel > 0 ? parallel : ProcessorBudget.Count, ThreadsPerRun = 1, Progress = observer.Steps, Warn = observer.Warn }, workers);

    public SelectionSummary Search(RunSelection search, string directory, CancellationToken stop)
    {
        UsualEstimator.Keep(directory, search.Spec.Estimator, DiskStorage.Shared);
        if (Workers is null) return search.Run(Runner, stop);
        WorkOff(new SweepPlan(directory, search.Runs, search.Spec, search.Default), stop);
        return search.Summarize(search.Select());
    }

    /// <returns>In the order of the runs.</returns>
    /// <exception cref="InputException">A run failed otherwise than by diverging.</exception>
    public IReadOnlyList<RunOutcome> Run(IReadOnlyList<PlannedRun> runs, string directory, CancellationToken stop)
    {
        if (Workers is null) return Runner.Run(runs, null, stop);
        Dictionary<string, RunState> states = WorkOff(new SweepPlan(directory, runs), stop).States.ToDictionary(s => s.Run.Name);
        return [.. runs.Select(run => SweepStatus.Outcome(states[run.Name] with { Run = run }))];
    }

    private SweepStatus WorkOff(SweepPlan plan, CancellationToken stop)
    {
        SweepPlan whole = plan.Write();
        Workers!(whole, stop);
        stop.ThrowIfCancellationRequested();
        var status = SweepStatus.Of(whole);
        if (status.States.FirstOrDefault(s => s.Failure is { Diverged: false }) is { } failed)
            throw new InputException(failed.Run.Directory, $"the run failed: {failed.Failure!.Reason}", "a run that ends, or diverges", Remedy.RetryFailed);
        return status.IsEnded ? status : throw new InputException(plan.Directory, $"runs that have not ended ({status.Counts})", "all of them", "the same command goes on");
    }
}

/// <summary>Runs one part: prepare, select hyperparameters, train the grid, fit.</summary>
internal static class StudyPartRun
{
    /// <param name="plan">What to run.</param>
    /// <param name="directory">Receives data/, tpe/, grid/ and points.csv; what is there already is taken up.</param>
    /// <param name="trainer">Who trains.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="notes">As in <see cref="StudyPlan.Notes"/>.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public static StudyPart Run(StudyPartPlan plan, string directory, StudyTrainer trainer, StudyObserver observer,
        Func<FinishedPart, IReadOnlyList<CommandNote>> notes, CancellationToken stop)
    {
        var prepared = PreparedPart.Of(plan, directory, observer, stop);
        RunSelection search = prepared.Search;
        observer.Begin($"{plan.Title}, training performance estimation: {search.Runs.Count} configurations, "
            + $"{plan.ProbeEpochs} of {plan.SearchEpochs} epochs each{(plan.ValidateSearch ? ", then all to the end" : "")}");
        SelectionSummary selection = trainer.Search(search, prepared.SearchFolder, stop);
        ConfigurationOutcome chosen = selection.Configurations[selection.Selected];
        observer.Say($"selected learning rate {chosen.LearningRate:G3}, batch size {chosen.BatchSize}");

        ScalingGrid grid = prepared.Grid(chosen.LearningRate, chosen.BatchSize);
        observer.Begin($"{plan.Title} grid: {string.Join(", ", grid.Models.Select(m => m.Name))}, {string.Join(", ", grid.Subsets)} {plan.DocumentName}");
        IReadOnlyList<GridPoint> points = grid.Points(trainer.Run(grid.Plan(prepared.GridFolder), prepared.GridFolder, stop));
        observer.Begin($"{plan.Title}: fitting");
        PointTable.Write(Path.Combine(directory, FinishedPart.PointsName), points);
        var part = new StudyPart
        {
            Family = plan.Title,
            LossUnit = plan.Family.LossUnit(prepared.Basis.Training),
            ItemName = plan.ItemName,
            Data = prepared.Facts,
            Selection = selection,
            Grid = new GridSummary
            {
                Points = points,
                Fits = GridFits.Of(points, plan.ItemName, stop),
                LearningRate = chosen.LearningRate,
                BatchSize = chosen.BatchSize,
                Extrapolation = GridExtrapolation.Of(points, plan.ItemName, stop),
                Allocation = GridAllocation.Of(points, plan.ItemName, stop: stop),
                Cautions = [.. Cautions(points, plan), .. plan.Cautions, .. plan.Family.ComputeCaution is { Length: > 0 } compute ? (string[])[compute] : []],
            },
        };
        return part with { Commands = notes(FinishedPart.Of(plan, part, directory, prepared.Store)) };
    }

    private static IEnumerable<string> Cautions(IReadOnlyList<GridPoint> points, StudyPartPlan plan)
    {
        if (!plan.RateServesAllWidths && plan.Models.Any(m => m.Width > plan.SearchModel.Width))
            yield return $"The learning rate was chosen at width {plan.SearchModel.Width}; wider models got proportionally less, not a search of their own.";
        int falling = points.Count(p => p.StillFalling);
        if (falling > 0)
            yield return $"{falling} of {points.Count} points were still falling at the cap on {plan.ItemName} seen: their losses are upper bounds, and the exponents in N are biased.";
        double decades = points.Count > 0 ? Math.Log10(points.Max(p => (double)p.Parameters) / points.Min(p => p.Parameters)) : 0;
        if (decades < 2) yield return $"The models span {decades:F1} decades of N: too few to tell a power law from another curve.";
    }
}
