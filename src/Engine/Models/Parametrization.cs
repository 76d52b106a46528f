namespace ChemScale.Engine.Models;

/// <summary>How initial weights, learning rates and products follow the width.</summary>
public enum Parametrization
{
    /// <summary>Not at all, as in GPT-Neo: the best learning rate moves with the width.</summary>
    Standard,

    /// <summary>Maximal update (muP; Yang et al. 2022, arXiv 2203.03466): a learning rate found at one width serves others.</summary>
    Mup,
}
