using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Studies.Search;

/// <summary>How the runs of a search are probed and selected.</summary>
public sealed record SelectionSpec
{
    /// <summary>Of a full run.</summary>
    public int Epochs { get; init; } = 50;

    /// <summary>Of a probe: a fifth of the budget, as in the paper.</summary>
    public int ProbeEpochs { get; init; } = 10;

    /// <summary>Finish every run, to compare predictions with the truth.</summary>
    public bool Validate { get; init; }

    public ProbeEstimator Estimator { get; init; } = ProbeEstimator.Tse;

    public KeepRule Keep { get; init; } = KeepRule.Best;

    /// <exception cref="InputException">A probe is no part of a run.</exception>
    public void Check()
    {
        if (ProbeEpochs < 1 || ProbeEpochs >= Epochs)
            throw new InputException("probe epochs", $"{ProbeEpochs}", $"1 to {Epochs - 1}, less than the {Epochs} epochs of a full run");
    }
}
