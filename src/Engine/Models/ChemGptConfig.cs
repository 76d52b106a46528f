namespace ChemScale.Engine.Models;

/// <summary>
/// Shape of a ChemGPT (a GPT-Neo causal language model; Frey et al. 2023). Only the width scales along the paper's ladder.
/// </summary>
public sealed record ChemGptConfig
{
    public int Layers { get; init; } = 24;

    /// <summary>Hidden size h; the MLP is 4h wide, a head h / <see cref="Heads"/>.</summary>
    public int Width { get; init; } = 128;

    public int Heads { get; init; } = 16;

    /// <summary>Reach of the local layers (every second one, from layer 1), in tokens.</summary>
    public int Window { get; init; } = 256;

    /// <summary>Rows of the learned position table: the longest molecule, in tokens.</summary>
    public int Positions { get; init; } = 2048;

    public int VocabularySize { get; init; } = 684;

    public double LayerNormEpsilon { get; init; } = 1e-5;

    public double InitStd { get; init; } = 0.02;

    /// <summary>
    /// Non-embedding parameters N = L (12 h^2 + 10 h) + 2 h: everything but the token and position tables (the head is tied).
    /// </summary>
    public long NonEmbeddingParameters => Layers * (12L * Width * Width + 10L * Width) + 2L * Width;
}
