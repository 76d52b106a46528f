using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies;

/// <summary>Runs one part: prepare, select hyperparameters, train the grid, fit.</summary>
internal static class StudyPartRun
{
    /// <param name="plan">What to run.</param>
    /// <param name="directory">Receives data/, tpe/, grid/ and points.csv; what is there already is taken up.</param>
    /// <param name="runner">Where and how many at a time.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="notes">As in <see cref="StudyPlan.Notes"/>.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public static StudyPart Run(StudyPartPlan plan, string directory, LocalRunner runner, StudyObserver observer,
        Func<StudyPartPlan, string, string, IReadOnlyList<CommandNote>> notes, CancellationToken stop)
    {
        string store = Path.GetFullPath(Path.Combine(directory, "data"));
        DataFacts facts = plan.Prepare(store, observer, stop);
        Experiment basis = plan.Basis(store);
        SelectionSummary selection = Search(plan, basis, facts, directory, runner, observer, stop);
        ConfigurationOutcome chosen = selection.Configurations[selection.Selected];
        observer.Say($"selected learning rate {chosen.LearningRate:G3}, batch size {chosen.BatchSize}");

        var grid = new ScalingGrid
        {
            Base = basis with { Training = basis.Training with { LearningRate = chosen.LearningRate, BatchSize = chosen.BatchSize } },
            Models = [.. plan.Models.Select(model => model with { Config = plan.Fitted(model, store) })],
            Subsets = [.. plan.Subsets.Select(s => Math.Min(s, facts.Train)).Distinct().Order()],
            DocumentName = plan.DocumentName,
            MaximumEpochs = plan.MaximumEpochs,
            MaximumSeen = plan.MaximumSeen,
            RateWidth = plan.RateServesAllWidths ? 0 : plan.SearchModel.Width,
        };
        observer.Begin($"{plan.Title} grid: {string.Join(", ", grid.Models.Select(m => m.Name))}, {string.Join(", ", grid.Subsets)} {plan.DocumentName}");
        IReadOnlyList<GridPoint> points = grid.Run(Path.Combine(directory, "grid"), runner, stop);
        observer.Begin($"{plan.Title}: fitting");
        PointTable.Write(Path.Combine(directory, "points.csv"), points);
        return new StudyPart
        {
            Family = plan.Title,
            LossUnit = plan.Family.LossUnit(basis.Training),
            ItemName = plan.ItemName,
            Data = facts,
            Selection = selection,
            Grid = new GridSummary
            {
                Points = points,
                Fits = GridFits.Of(points, plan.ItemName),
                LearningRate = chosen.LearningRate,
                BatchSize = chosen.BatchSize,
                Extrapolation = GridExtrapolation.Of(points, plan.ItemName),
                Allocation = GridAllocation.Of(points, plan.ItemName),
                Cautions = [.. Cautions(points, plan), .. plan.Cautions],
            },
            Commands = notes(plan, directory, store),
        };
    }

    private static SelectionSummary Search(
        StudyPartPlan plan, Experiment basis, DataFacts facts, string directory, LocalRunner runner, StudyObserver observer, CancellationToken stop)
    {
        var search = new TrainingPerformanceSearch
        {
            Space = SearchSpace.Grid(plan.LearningRates, plan.BatchSizes, plan.Default),
            Base = basis with { Data = basis.Data with { Subset = Math.Min(plan.SearchDocuments, facts.Train) } },
            Epochs = plan.SearchEpochs,
            ProbeEpochs = plan.ProbeEpochs,
            Validate = plan.ValidateSearch,
        };
        observer.Begin($"{plan.Title}, training performance estimation: {search.Space.Configurations.Count} configurations, "
            + $"{plan.ProbeEpochs} of {plan.SearchEpochs} epochs each{(plan.ValidateSearch ? ", then all to the end" : "")}");
        return search.Run(Path.Combine(directory, "tpe"), runner, stop);
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
