using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Budgets;

/// <summary>Runs a <see cref="BudgetPlan"/>: prepare, tune the rate of each size at the least budget, train every size to every budget, find the minima.</summary>
public static class BudgetStudy
{
    // Repeats beyond this are worth less than new data (Muennighoff et al. 2023, arXiv 2305.16264).
    private const double HarmlessPasses = 4;

    /// <param name="plan">What to run.</param>
    /// <param name="directory">Receives a folder for each family, budgets.html, budgets.json; what is there already is taken up.</param>
    /// <param name="command">The command line, for the page.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    /// <exception cref="InputException">A plan that cannot be, or data that are not there.</exception>
    public static BudgetSummary Run(BudgetPlan plan, string directory, string command, StudyObserver observer, CancellationToken stop = default)
    {
        plan.Check();
        var watch = Stopwatch.StartNew();
        DateTimeOffset started = DateTimeOffset.Now;
        var trainer = StudyTrainer.Of(plan.Parallel, plan.Workers, observer);
        double[] budgets = [.. plan.Budgets.Order()];
        var file = new StudyFile(plan.Parts, budgets);
        file.Write(directory);
        BudgetPart[] parts = [.. plan.Parts.Select(part => Part(part, budgets, Path.Combine(directory, part.Name), trainer, observer, stop))];
        file.Write(directory);
        var summary = new BudgetSummary { Command = command, Started = started, Seconds = watch.Elapsed.TotalSeconds, Host = Study.Host(), Parts = parts };
        BudgetPage.Write(summary, directory);
        return summary;
    }

    private static BudgetPart Part(StudyPartPlan plan, double[] budgets, string directory, StudyTrainer trainer, StudyObserver observer, CancellationToken stop)
    {
        var prepared = PreparedPart.Of(plan, directory, observer, stop);
        string runs = prepared.BudgetFolder;
        var grid = BudgetGrid.Of(prepared, budgets);
        DataFacts facts = prepared.Facts;
        observer.Begin($"{plan.Title}, {Text(budgets[0])} FLOP: {grid.Models.Count} sizes at {grid.LearningRates.Count} learning rates");
        BudgetPoint[] tuning = Points(grid, trainer.Run(grid.Tuning(runs), runs, stop), budgets[0], facts);
        BudgetPoint[] chosen = [.. grid.Chosen([.. tuning.Select(p => p.Loss)]).Select(i => tuning[i])];
        foreach (BudgetPoint point in chosen) observer.Say($"{point.ModelName}: learning rate {point.LearningRate:G3}");
        var points = new List<BudgetPoint>(chosen);
        IReadOnlyList<PlannedRun> rest = grid.Rest(runs, [.. chosen.Select(p => p.LearningRate)], BudgetGrid.Best([.. chosen.Select(p => p.Loss)]));
        if (rest.Count > 0)
        {
            observer.Begin($"{plan.Title}: {grid.RestCount / (budgets.Length - 1)} sizes to each of {string.Join(", ", budgets[1..].Select(Text))} FLOP");
            IReadOnlyList<RunOutcome> outcomes = trainer.Run(rest, runs, stop);
            int sizes = rest.Count / (budgets.Length - 1);
            for (int b = 1; b < budgets.Length; b++) points.AddRange(Points(grid, [.. outcomes.Skip((b - 1) * sizes).Take(sizes)], budgets[b], facts));
        }
        WriteTable(Path.Combine(directory, "budgets.csv"), points);
        BudgetPart part = Fit(plan, grid, facts, points, [.. tuning.Except(chosen)]);
        return part with { LossUnit = plan.Family.LossUnit(prepared.Basis.Training) };
    }

    private static BudgetPoint[] Points(BudgetGrid grid, IReadOnlyList<RunOutcome> outcomes, double budget, DataFacts facts) => [.. outcomes.Select(outcome =>
    {
        (GridModel model, TrainingCost cost) = grid.Models.First(m => m.Model.Config.Equals(outcome.Run.Experiment.Model.Config));
        long items = outcome.Result?.ItemsSeen ?? 0;
        return new BudgetPoint(outcome.Run.Name, model.Name, budget, items * cost.FlopsPerItem, model.Parameters, items,
            items / (cost.ItemsPerDocument * Math.Max(1, facts.Train)), outcome.Run.Experiment.Training.LearningRate, outcome.Result?.FinalValidationLoss,
            outcome.Result?.Seconds ?? 0);
    })];

    private static BudgetPart Fit(StudyPartPlan plan, BudgetGrid grid, DataFacts facts, List<BudgetPoint> points, BudgetPoint[] tuning)
    {
        BudgetPoint[] trained = [.. points.Where(p => p.Loss > 0)];
        // Grouped by the budget: steps are whole, so what was spent differs a little.
        ScalingPoint Of(BudgetPoint p) => new() { N = p.Parameters, D = p.Items, C = p.Budget, Loss = p.Loss!.Value, Name = p.Name };
        IsoFlopMinima minima = IsoFlopMinima.Of(new ScalingPoints([.. trained.Select(Of)]), tolerance: 1e-6);
        IsoFlopMinimum[] found = [.. minima.Minima.Where(m => m.Loss > 0)];
        Claim loss = Inference.Of(new ScalingPoints([.. found.Select(m => new ScalingPoint { C = m.Compute, Loss = m.Loss!.Value, Name = $"C = {Text(m.Compute)}" })]),
            Resource.Compute, new ClaimOptions { Held = "iso-FLOP minima" });
        return new BudgetPart
        {
            Family = plan.Title,
            LossUnit = "",
            ItemName = plan.ItemName,
            Data = facts,
            BatchSize = grid.Base.Training.BatchSize,
            Points = points,
            Tuning = tuning,
            Minima = minima.Minima,
            Parameters = minima.OptimalParameters,
            Items = minima.OptimalData,
            Loss = loss,
            FastestTo = [.. Fastest(trained)],
            Cautions = [.. Cautions(plan, grid, points), .. plan.Cautions],
        };
    }

    private static IEnumerable<BudgetPoint> Fastest(IEnumerable<BudgetPoint> points)
    {
        double least = double.PositiveInfinity;
        foreach (BudgetPoint point in points.OrderBy(p => p.Seconds).ThenBy(p => p.Loss))
        {
            if (point.Loss >= least) continue;
            least = point.Loss!.Value;
            yield return point;
        }
    }

    private static IEnumerable<string> Cautions(StudyPartPlan plan, BudgetGrid grid, List<BudgetPoint> points)
    {
        if (points.Count(p => p.Loss is null) is > 0 and var lost) yield return $"{lost} of {points.Count} trainings ended without a loss and are left out.";
        BudgetPoint[] edge = [.. points.Where(p => p.Budget == grid.Budgets[0] && grid.LearningRates.Count > 1
            && (p.LearningRate == grid.LearningRates[0] || p.LearningRate == grid.LearningRates[^1]))];
        if (edge.Length > 0)
            yield return $"The best learning rate lay on the edge of those tried for {string.Join(", ", edge.Select(p => p.ModelName))}: a better one may lie beyond.";
        if (grid.LearningRates.Count > 1 && grid.Budgets.Count > 1)
        {
            yield return $"Learning rates were tuned for each size at {Text(grid.Budgets[0])} FLOP and kept at larger budgets; "
                + $"the batch size is {grid.Base.Training.BatchSize} throughout.";
        }
        if (grid.Models.Count * (grid.Budgets.Count - 1) > grid.RestCount)
        {
            yield return $"Budgets above {Text(grid.Budgets[0])} FLOP train the {grid.RestCount / (grid.Budgets.Count - 1)} sizes around the one expected "
                + "from the best of that budget, growing as the root of compute.";
        }
        BudgetPoint[] repeated = [.. points.Where(p => p.Passes > HarmlessPasses)];
        if (repeated.Length > 0)
        {
            string most = repeated.Max(p => p.Passes).ToString("F0", CultureInfo.InvariantCulture);
            yield return $"{repeated.Length} of {points.Count} trainings passed more than {HarmlessPasses} times over the data, at most {most} times: for them D counts repeats, "
                + $"and small models look worse than they would with more {plan.DocumentName}.";
        }
        yield return "One seed: the losses' own noise is in the intervals, but not told apart from how far the parabola is wrong.";
    }

    private static void WriteTable(string path, IEnumerable<BudgetPoint> points)
    {
        IEnumerable<string> lines = points.Where(p => p.Loss is not null).Select(p => string.Create(CultureInfo.InvariantCulture,
                $"{p.Name},{p.Parameters},{p.Items},{p.Budget:R},{p.Flops:R},{p.LearningRate:R},{p.Passes:R},{p.Loss:R},{p.Seconds:R}"))
            .Prepend("name,parameters,items,compute,flops_taken,learning_rate,passes,loss,seconds");
        DiskStorage.Shared.WriteAtomically(path, string.Concat(lines.Select(line => line + "\n")));
    }

    private static string Text(double flops) => flops.ToString("G3", CultureInfo.InvariantCulture);
}
