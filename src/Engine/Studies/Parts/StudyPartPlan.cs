using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Parts;

/// <summary>
/// One family of models on one data set: how its data are made, which configurations the search tries, which models and data sizes the
/// grid holds.
/// </summary>
public abstract record StudyPartPlan
{
    /// <summary>Name of the part's folder: chemgpt, painn.</summary>
    public abstract string Name { get; }

    /// <summary>Name shown: ChemGPT, PaiNN.</summary>
    public abstract string Family { get; }

    public abstract string LossUnit { get; }

    /// <summary>What D and S count: tokens, frames.</summary>
    public abstract string ItemName { get; }

    /// <summary>What data sizes count: molecules, frames.</summary>
    public abstract string DocumentName { get; }

    public long Seed { get; init; } = 42;

    /// <summary>Molecules or frames of the fixed validation set.</summary>
    public required long Validation { get; init; }

    /// <summary>Molecules or frames that the search trains on.</summary>
    public required long SearchDocuments { get; init; }

    public required IReadOnlyList<double> LearningRates { get; init; }

    public required IReadOnlyList<int> BatchSizes { get; init; }

    /// <summary>The configuration that is always tried: what people start from.</summary>
    public abstract Configuration Default { get; }

    public int SearchEpochs { get; init; } = 10;

    public int ProbeEpochs { get; init; } = 2;

    /// <summary>Finish every configuration, to show how good the predictions were.</summary>
    public bool ValidateSearch { get; init; } = true;

    /// <summary>Data sizes of the grid, in molecules or frames; larger ones than there are shrink to all.</summary>
    public required IReadOnlyList<long> Subsets { get; init; }

    public int MaximumEpochs { get; init; } = 60;

    /// <summary>Cap on the molecules or frames that a point of the grid sees, repeats included.</summary>
    public required long MaximumSeen { get; init; }

    /// <summary>The model of the search.</summary>
    public abstract GridModel SearchModel { get; }

    /// <summary>The rate found at the search's width serves the others as it is.</summary>
    public virtual bool RateServesAllWidths => false;

    /// <summary>The models of the grid, smallest first.</summary>
    public abstract IReadOnlyList<GridModel> Models { get; }

    /// <summary>Makes the store, or finds the one that is there.</summary>
    /// <param name="folder">Of the store.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves no half store.</param>
    public abstract DataFacts Prepare(string folder, StudyObserver observer, CancellationToken stop);

    /// <summary>Everything but model, data size, learning rate, batch size and length.</summary>
    /// <param name="store">The store that <see cref="Prepare"/> made.</param>
    public abstract Experiment Basis(string store);

    /// <summary>The model of a grid point as the store needs it.</summary>
    public virtual object Fitted(GridModel model, Experiment basis) => model.Config;

    /// <summary>What to know of this family's exponents before trusting them.</summary>
    public virtual IEnumerable<string> Cautions => [];

    /// <summary>Commands that go on from the part, each with what it does.</summary>
    /// <param name="directory">Of the part.</param>
    /// <param name="store">Of its data.</param>
    public abstract IEnumerable<CommandNote> Commands(string directory, string store);

    /// <exception cref="InputException">Sizes that do not fit together.</exception>
    public virtual void Check()
    {
        if (Models.Count == 0) throw new InputException($"{Name} grid", "no models", "one or more");
        if (Subsets.Count == 0 || Subsets.Any(s => s < 1)) throw new InputException($"{Name} subsets", string.Join(",", Subsets), "one or more sizes of at least 1");
        if (ProbeEpochs < 1 || ProbeEpochs >= SearchEpochs)
            throw new InputException("--probe-epochs", $"{ProbeEpochs}", $"1 to {SearchEpochs - 1}, less than the {SearchEpochs} epochs of a full run");
        _ = SearchSpace.Grid(LearningRates, BatchSizes, Default);
    }
}
