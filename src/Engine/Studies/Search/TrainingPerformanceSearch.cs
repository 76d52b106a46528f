using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Search;

/// <summary>
/// Hyperparameter selection by training performance estimation (Frey et al. 2023; not the Tree-structured Parzen Estimator): every
/// configuration is probed for a part of its epochs, ranked by an early figure of its losses, and only the best goes on.
/// </summary>
public sealed record TrainingPerformanceSearch
{
    public required SearchSpace Space { get; init; }

    /// <summary>Everything but learning rate, batch size and epochs.</summary>
    public required Experiment Base { get; init; }

    /// <summary>Epochs of a full run.</summary>
    public int Epochs { get; init; } = 50;

    /// <summary>Epochs of a probe: a fifth of the budget, as in the paper.</summary>
    public int ProbeEpochs { get; init; } = 10;

    /// <summary>Finish every configuration, to compare predictions with the truth. Costs what selection was to save.</summary>
    public bool Validate { get; init; }

    /// <summary>Null: as the folder of the search says, else the usual one of its schedule (<see cref="UsualEstimator"/>).</summary>
    public ProbeEstimator? Estimator { get; init; }

    public KeepRule Keep { get; init; } = KeepRule.Best;

    /// <summary>Its runs and how they are selected, for whoever trains them.</summary>
    /// <param name="directory">Each configuration runs in a folder of its own below; runs already there are taken up.</param>
    /// <exception cref="InputException">A probe is no part of a run.</exception>
    public RunSelection Plan(string directory)
    {
        PlannedRun[] runs = [.. Space.Configurations.Select(c => new PlannedRun(c.Name, Experiment(c), Path.Combine(directory, c.Name)))];
        var spec = new SelectionSpec
        {
            Epochs = Epochs,
            ProbeEpochs = ProbeEpochs,
            Validate = Validate,
            Estimator = Estimator ?? UsualEstimator.Of(directory, runs),
            Keep = Keep,
        };
        var selection = new RunSelection(runs, spec, Space.Default);
        selection.Check();
        return selection;
    }

    /// <summary>The whole search in this process.</summary>
    /// <param name="directory">As for <see cref="Plan"/>.</param>
    /// <param name="runner">Where and how many at a time.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public SelectionSummary Run(string directory, LocalRunner runner, CancellationToken stop = default)
    {
        RunSelection selection = Plan(directory);
        UsualEstimator.Keep(directory, selection.Spec.Estimator, DiskStorage.Shared);
        return selection.Run(runner, stop);
    }

    private Experiment Experiment(Configuration configuration) => Base with
    {
        Training = Base.Training with
        {
            LearningRate = configuration.LearningRate,
            BatchSize = configuration.BatchSize,
            Epochs = Epochs,
            Steps = null,
            Patience = null,
        },
    };
}

/// <summary>A search as a self-contained page beside its runs: what the paper's second figure shows, and the numbers.</summary>
public static class SearchPage
{
    public const string PageName = "report.html";

    /// <param name="selection">What came out.</param>
    /// <param name="basis">The experiment that the configurations vary.</param>
    /// <param name="directory">Of the runs; receives report.html and figures/.</param>
    /// <param name="command">The command line, for the page.</param>
    /// <param name="notes">Commands that go on from here, for the page; null: none.</param>
    /// <returns>The path of the page.</returns>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static string Write(SelectionSummary selection, Experiment basis, string directory, string command, IReadOnlyList<CommandNote>? notes = null)
    {
        ModelFamily family = basis.Model.Family;
        string path = Path.Combine(directory, PageName);
        StudyPart part = SelectionPage.Part(family.Title, family.LossUnit(basis.Training), family.ItemName, family.Data.Facts(basis.Data.Store), selection, notes);
        SelectionPage.Write(path, $"Training performance estimation of {family.Title}", command, part, true, [], []);
        return path;
    }
}
