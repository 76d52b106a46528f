namespace ChemScale.Engine.Estimation;

/// <summary>Which epochs the training speed estimators sum over.</summary>
public enum TseConvention
{
    /// <summary>Epochs 1 .. T in all three estimators, as in Ru et al. 2021 (arXiv 2006.04492).</summary>
    Standard,

    /// <summary>
    /// As in the code released with Frey et al. 2023: TSE over epochs 1 .. T, but TSE-E over T-E+2 .. T+1 and TSE-EMA over 1 .. T+1, so
    /// that
    /// both look one epoch beyond T; sums of every epoch are divided by the number of mini-batches of epoch T+1.
    /// </summary>
    Litmatter,
}
