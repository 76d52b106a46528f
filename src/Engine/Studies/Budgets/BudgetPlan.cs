using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Budgets;

/// <summary>
/// A study of compute budgets: models of several sizes, each trained to the end of a schedule of its own that a budget just pays for
/// (Hoffmann et al. 2022, approach 2). FLOP are those of <see cref="TrainingCost"/>.
/// </summary>
public sealed record BudgetPlan
{
    /// <summary>A family each; what they say of search and grid is not used, but for rates, batch size and validation set.</summary>
    public required IReadOnlyList<StudyPartPlan> Parts { get; init; }

    /// <summary>FLOP of a training, each at least 1.2 times the one before.</summary>
    public required IReadOnlyList<double> Budgets { get; init; }

    /// <summary>Runs side by side; 0: one for each thread of <see cref="ProcessorBudget"/>.</summary>
    public int Parallel { get; init; }

    /// <summary>As <see cref="StudyPlan.Workers"/>.</summary>
    public Action<SweepPlan, CancellationToken>? Workers { get; init; }

    /// <exception cref="InputException">No families, a family twice, fewer than five sizes of one, or budgets that are none.</exception>
    public void Check()
    {
        new StudyPlan { Parts = Parts, Parallel = Parallel }.Check();
        if (Budgets.Count == 0 || Budgets.Any(b => !(b > 0) || !double.IsFinite(b))) throw new InputException("flops", string.Join(",", Budgets), "numbers above 0, in FLOP");
        double[] ascending = [.. Budgets.Order()];
        for (int i = 1; i < ascending.Length; i++)
            if (ascending[i] < 1.2 * ascending[i - 1]) throw new InputException("flops", $"{ascending[i - 1]:G3} and {ascending[i]:G3}", "budgets that differ by a fifth or more");
        foreach (StudyPartPlan part in Parts)
        {
            int sizes = part.Models.Select(m => m.Parameters).Distinct().Count();
            if (sizes < BudgetGrid.FewestSizes)
                throw new InputException($"{part.Name} sizes", $"{sizes}", $"{BudgetGrid.FewestSizes} or more: a parabola through fewer says little of its minimum");
        }
    }
}

/// <summary>The trainings of one family: every size at the least budget, five or more at each other, at the rate that served that size best at the least.</summary>
internal sealed record BudgetGrid
{
    public const int FewestSizes = 5;

    /// <summary>Sizes that a budget above the least trains: two on either side of the one expected.</summary>
    private const int SizesOfLarger = 5;

    /// <summary>A training of fewer steps says nothing.</summary>
    private const int FewestSteps = 30;

    private const double Cooldown = 0.2;

    /// <summary>Everything but model, rate and length.</summary>
    public required Experiment Base { get; init; }

    /// <summary>Smallest first, as the store needs them, with what each costs.</summary>
    public required IReadOnlyList<(GridModel Model, TrainingCost Cost)> Models { get; init; }

    /// <summary>FLOP, ascending.</summary>
    public required IReadOnlyList<double> Budgets { get; init; }

    /// <summary>Tried at the least budget, ascending; one: nothing is tuned.</summary>
    public required IReadOnlyList<double> LearningRates { get; init; }

    /// <summary>What data sizes count, for messages.</summary>
    public required string DocumentName { get; init; }

    /// <exception cref="InputException">A budget that pays for too few steps.</exception>
    public static BudgetGrid Of(PreparedPart part, IEnumerable<double> budgets)
    {
        StudyPartPlan plan = part.Plan;
        var grid = new BudgetGrid
        {
            Base = part.Basis with { Training = part.Basis.Training with { BatchSize = plan.BatchSizes is [var only] ? only : plan.Default.BatchSize } },
            Models = [.. part.Models.Select(m => (m, plan.Family.Cost(m.Config, part.Basis.Training, part.Store)))],
            Budgets = [.. budgets.Order()],
            LearningRates = [.. plan.LearningRates.Order()],
            DocumentName = plan.DocumentName,
        };
        grid.Check($"{plan.Name} flops");
        return grid;
    }

    private void Check(string place)
    {
        foreach ((GridModel model, TrainingCost cost) in Models)
        {
            if (Steps(cost, Budgets[0]) is var steps && steps < FewestSteps)
            {
                throw new InputException(place, FormattableString.Invariant($"{Budgets[0]:G3} FLOP, {steps} steps of {Base.Training.BatchSize} {DocumentName} for {model.Name}"),
                    $"at least {FewestSteps} steps", "larger budgets, smaller models or smaller batches");
            }
        }
    }

    /// <summary>The trainings of the least budget, all rates.</summary>
    public IReadOnlyList<PlannedRun> Tuning(string directory) =>
        [.. from model in Models from rate in LearningRates select Point(directory, model.Model, model.Cost, Budgets[0], rate)];

    /// <summary>How many <see cref="Rest"/> are.</summary>
    public int RestCount => CountOfRest(Models.Count, Budgets.Count);

    /// <summary>The same of so many models and budgets.</summary>
    public static int CountOfRest(int models, int budgets) => (budgets - 1) * Math.Min(SizesOfLarger, models);

    /// <summary>Index among the trainings of the least budget of each model's best; one that diverged is none, unless all did.</summary>
    public IReadOnlyList<int> Chosen(IReadOnlyList<double?> losses) =>
        [.. Enumerable.Range(0, Models.Count).Select(m => Enumerable.Range(m * LearningRates.Count, LearningRates.Count).MinBy(i => losses[i] ?? double.PositiveInfinity))];

    /// <summary>Index of the model of the least loss.</summary>
    public static int Best(IReadOnlyList<double?> losses) => Enumerable.Range(0, losses.Count).MinBy(i => losses[i] ?? double.PositiveInfinity);

    /// <summary>
    /// The trainings of the other budgets: of each, the sizes around the one that the least budget's best foretells, which grows as the root
    /// of compute (Hoffmann et al. 2022). Sizes further away cost as much and say little of where the minimum is.
    /// </summary>
    /// <param name="directory">Of all trainings.</param>
    /// <param name="rates">Of each model.</param>
    /// <param name="best">Index of the best model of the least budget.</param>
    public IReadOnlyList<PlannedRun> Rest(string directory, IReadOnlyList<double> rates, int best) =>
    [
        .. from budget in Budgets.Skip(1)
           from i in Around(Models[best].Model.Parameters * Math.Sqrt(budget / Budgets[0]))
           select Point(directory, Models[i].Model, Models[i].Cost, budget, rates[i]),
    ];

    private IEnumerable<int> Around(double parameters) => Enumerable.Range(0, Models.Count)
        .OrderBy(i => Math.Abs(Math.Log(Models[i].Model.Parameters / parameters))).ThenBy(i => i).Take(SizesOfLarger).Order();

    public PlannedRun Point(string directory, GridModel model, TrainingCost cost, double budget, double rate)
    {
        long steps = Steps(cost, budget);
        var experiment = Base with
        {
            Model = ModelSpec.Of(model.Config),
            Training = Base.Training with
            {
                LearningRate = rate,
                Steps = steps,
                Epochs = null,
                Patience = null,
                // The end of the schedule is what smooths.
                EmaDecay = null,
                Schedule = Base.Training.Schedule with
                {
                    Kind = ScheduleKind.Cooldown,
                    WarmupSteps = Math.Min(Base.Training.Schedule.WarmupSteps, steps / 10),
                    Cooldown = Cooldown,
                },
                ValidationInterval = Interval.Steps(steps),
            },
        };
        string name = FormattableString.Invariant($"{model.Name.Replace(" x ", "x").Replace(' ', '-')}-flop-{budget:G6}-rate-{rate:G6}");
        return new PlannedRun(name, experiment, Path.Combine(directory, name));
    }

    private long Steps(TrainingCost cost, double budget) => (long)Math.Round(budget / (cost.FlopsPerItem * cost.ItemsPerDocument * Base.Training.BatchSize));
}
