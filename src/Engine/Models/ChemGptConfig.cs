namespace ChemScale.Engine.Models;

/// <summary>
/// Shape of a ChemGPT (a GPT-Neo causal language model; Frey et al. 2023). Only the width scales along the paper's ladder.
/// </summary>
public sealed record ChemGptConfig
{
    public int Layers { get; init; } = 24;

    /// <summary>Hidden size h; a head is h / <see cref="Heads"/> wide.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Inner size of the MLP; 0: 4h.</summary>
    public int InnerWidth { get; init; }

    public int Heads { get; init; } = 16;

    /// <summary>Reach of the local layers, in tokens, the query's own included.</summary>
    public int Window { get; init; } = 256;

    /// <summary>One letter a layer, repeated as needed: g for global attention, l for local.</summary>
    public string AttentionPattern { get; init; } = "gl";

    /// <summary>Rows of the learned position table: the longest molecule, in tokens.</summary>
    public int Positions { get; init; } = 2048;

    public int VocabularySize { get; init; } = 684;

    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Of matrices and tables; under muP of the layers' matrices at the base width.</summary>
    public double InitStd { get; init; } = 0.02;

    public Parametrization Parametrization { get; init; }

    /// <summary>Under muP, the width at which it is the standard parametrization; the standard one has no use for it.</summary>
    public int BaseWidth { get; init; } = 64;

    /// <summary>
    /// Non-embedding parameters: everything but the token and position tables (the head is tied).
    /// With the default inner width, N = L (12 h^2 + 10 h) + 2 h.
    /// </summary>
    public long NonEmbeddingParameters
    {
        get
        {
            long h = Width, inner = MlpWidth;
            long attention = 4 * h * h + h, mlp = 2 * h * inner + inner + h, norms = 4 * h;
            return Layers * (attention + mlp + norms) + 2 * h;
        }
    }

    internal int MlpWidth => InnerWidth > 0 ? InnerWidth : 4 * Width;

    /// <summary>The paper's ladder: 24 layers, 16 heads, the width given by name: 16, 32, 64, ... 2048.</summary>
    /// <exception cref="InputException">Not a rung.</exception>
    public static ChemGptConfig Ladder(int width, int vocabularySize = 684) =>
        width is >= 16 and <= 2048 && int.IsPow2(width)
            ? new ChemGptConfig { Width = width, VocabularySize = vocabularySize }
            : throw new InputException("model.size", width.ToString(), "16, 32, 64, 128, 256, 512, 1024 or 2048");

    /// <summary>True where layer <paramref name="layer"/> sees only <see cref="Window"/> tokens.</summary>
    public bool IsLocal(int layer) => AttentionPattern[layer % AttentionPattern.Length] == 'l';

    /// <exception cref="InputException">A key out of range, or keys that contradict each other.</exception>
    public void Validate(string place = "model")
    {
        Positive(Layers, "layers");
        Positive(Width, "width");
        Positive(Heads, "heads");
        Positive(Window, "window");
        Positive(Positions, "positions");
        Positive(VocabularySize, "vocabularySize");
        Positive(BaseWidth, "baseWidth");
        if (Width % Heads != 0) throw new InputException($"{place}.heads", $"{Heads} heads for width {Width}", "a divisor of the width");
        if (InnerWidth < 0) throw new InputException($"{place}.innerWidth", $"{InnerWidth}", "0 (four times the width) or more");
        if (Parametrization == Parametrization.Mup && MlpWidth != 4 * Width)
            throw new InputException($"{place}.innerWidth", $"{InnerWidth} for width {Width}", "0 (four times the width)", "muP scales all widths together");
        if (AttentionPattern.Length == 0 || AttentionPattern.Any(c => c is not ('g' or 'l')))
            throw new InputException($"{place}.attentionPattern", $"'{AttentionPattern}'", "letters g (global) and l (local)");
        if (!(InitStd > 0)) throw new InputException($"{place}.initStd", $"{InitStd}", "a positive number");
        if (!(LayerNormEpsilon > 0)) throw new InputException($"{place}.layerNormEpsilon", $"{LayerNormEpsilon}", "a positive number");

        void Positive(int value, string key)
        {
            if (value < 1) throw new InputException($"{place}.{key}", $"{value}", "1 or more");
        }
    }
}

/// <summary>How initial weights, learning rates and products follow the width.</summary>
public enum Parametrization
{
    /// <summary>Not at all, as in GPT-Neo: the best learning rate moves with the width.</summary>
    Standard,

    /// <summary>Maximal update (muP; Yang et al. 2022, arXiv 2203.03466): a learning rate found at one width serves others.</summary>
    Mup,
}
