using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Operators.Transformer;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Engine.Models;

/// <summary>
/// ChemGPT: the GPT-Neo causal language model (Black et al. 2021), over packed molecules: no padding; attention and positions restart at
/// each molecule. Queries, keys and values share one matrix; <see cref="ChemGptWeights"/> maps to the published tensor names.
/// </summary>
public sealed class ChemGpt : nn.Module
{
    private readonly WidthScaling scaling;
    private readonly Parameter tokenTable;
    private readonly Parameter positionTable;
    private readonly ChemGptBlock[] blocks;
    private readonly Parameter finalNormWeight;
    private readonly Parameter finalNormBias;

    /// <param name="config">Shape; validated.</param>
    /// <param name="seed">Initial weights: normal(0, InitStd) matrices and tables, zero biases, unit norms.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    public ChemGpt(ChemGptConfig config, long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : this(config, WidthScaling.Of(config), seed, dtype, device)
    {
    }

    internal ChemGpt(ChemGptConfig config, WidthScaling scaling, long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(ChemGpt))
    {
        config.Validate();
        Config = config;
        this.scaling = scaling;
        using var generator = new Generator((ulong)seed, device);
        var init = new ParameterInit(generator, config.InitStd, dtype, device);
        tokenTable = init.Normal(config.VocabularySize, config.Width);
        positionTable = init.Normal(config.Positions, config.Width);
        register_parameter("wte", tokenTable);
        register_parameter("wpe", positionTable);
        var matrices = new ParameterInit(generator, config.InitStd * scaling.MatrixStd, dtype, device);
        blocks = new ChemGptBlock[config.Layers];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            blocks[layer] = new ChemGptBlock(config, scaling.Scores, layer, matrices);
            register_module($"h{layer}", blocks[layer]);
        }
        finalNormWeight = init.Constant(1, config.Width);
        finalNormBias = init.Constant(0, config.Width);
        register_parameter("ln_f_weight", finalNormWeight);
        register_parameter("ln_f_bias", finalNormBias);
    }

    public ChemGptConfig Config { get; }

    /// <summary>What the layers' attention multiplies in.</summary>
    /// <exception cref="InputException">There are no kernels for heads so wide.</exception>
    public AttentionPrecision Precision
    {
        get => blocks[0].Precision;
        set
        {
            AttentionPrecisions.RequireWidth(value, Config.Width / Config.Heads);
            foreach (ChemGptBlock block in blocks) block.Precision = value;
        }
    }

    internal WidthScaling Scaling => scaling;

    internal IReadOnlyList<ChemGptBlock> Blocks => blocks;

    internal Parameter TokenTable => tokenTable;

    internal Parameter PositionTable => positionTable;

    internal Parameter FinalNormWeight => finalNormWeight;

    internal Parameter FinalNormBias => finalNormBias;

    /// <summary>Summed from the real tensors: everything but the two tables.</summary>
    public long NonEmbeddingParameters => parameters().Sum(p => p.numel()) - tokenTable.numel() - positionTable.numel();

    /// <summary>Hidden states after the final norm.</summary>
    /// <param name="ids">(T) token ids, int64.</param>
    /// <param name="positions">(T) positions within each molecule, int64.</param>
    /// <param name="rows">The molecules.</param>
    /// <returns>(T, h)</returns>
    public Tensor Hidden(Tensor ids, Tensor positions, PackedRows rows)
    {
        using Tensor x = Body(ids, positions, rows);
        return Normalize(x);
    }

    /// <summary>The residual stream behind so many layers; behind all of them after the final norm, as <see cref="Hidden"/>.</summary>
    /// <returns>(T, h)</returns>
    internal Tensor HiddenAfter(int layers, Tensor ids, Tensor positions, PackedRows rows) =>
        layers == blocks.Length ? Hidden(ids, positions, rows) : Body(ids, positions, rows, layers);

    /// <summary>Scores of the next token.</summary>
    /// <returns>(T, vocabulary)</returns>
    public Tensor Logits(Tensor ids, Tensor positions, PackedRows rows)
    {
        using Tensor hidden = Hidden(ids, positions, rows);
        return Scored(hidden);
    }

    /// <summary>Mean cross-entropy in nats per predicted token.</summary>
    /// <param name="ids">(T) token ids, int64.</param>
    /// <param name="positions">(T) positions within each molecule, int64.</param>
    /// <param name="rows">The molecules.</param>
    /// <param name="targets">(T) next ids, int64; -100 where nothing is predicted.</param>
    /// <returns>A scalar.</returns>
    public Tensor Loss(Tensor ids, Tensor positions, PackedRows rows, Tensor targets)
    {
        using Tensor x = Body(ids, positions, rows);
        return HeadLoss.Apply(x, finalNormWeight, finalNormBias, tokenTable, targets, rows, Config.LayerNormEpsilon, scaling.Logits);
    }

    /// <summary>What the learning rate is multiplied by for the parameter of this name, and its weight decay divided by.</summary>
    public double LearningRateFactor(string name) =>
        ChemGptBlock.IsMatrix(name[(name.LastIndexOf('.') + 1)..]) ? scaling.MatrixRate : 1;

    internal Tensor Normalize(Tensor x) =>
        LayerNorm.Apply(x, finalNormWeight, finalNormBias, Config.LayerNormEpsilon);

    /// <param name="hidden">(..., h), after the final norm.</param>
    /// <returns>(..., vocabulary)</returns>
    internal Tensor Scored(Tensor hidden) => HeadLossComposed.Scores(hidden, tokenTable, scaling.Logits);

    /// <summary>Embeddings and layers, all or the first ones, before the final norm.</summary>
    private Tensor Body(Tensor ids, Tensor positions, PackedRows rows, int? layers = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = TokenEmbedding.Apply(ids, positions, tokenTable, positionTable);
        ChemGptBlock[] through = layers is { } some ? blocks[..some] : blocks;
        if (through.Length > 0) x = TransformerStack.Apply(Array.ConvertAll(through, b => b.Settings), rows, x, Array.ConvertAll(through, b => b.Weights));
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Factors on what a <see cref="ChemGpt"/> has at its base width. muP for Adam in the form that tied tables allow (Yang et al. 2022, arXiv
/// 2203.03466, table 8), with r = base width / width: matrices of the layers start with std sqrt(r) and learn at rate r, attention's scores
/// and the output's logits are multiplied by r. Tables, biases and norms keep std and rate. Heads are as many at every width, so r is
/// the ratio of head widths too, and scores go with 1 / head width.
/// </summary>
/// <param name="MatrixStd">On the initial standard deviation of the layers' matrices.</param>
/// <param name="MatrixRate">On their learning rate; their weight decay is divided by it, so that lr wd is one for all parameters.</param>
/// <param name="Scores">On q . k; GPT-Neo has 1 and not 1 / sqrt(head width), so this is attention's whole scale.</param>
/// <param name="Logits">On the scores of the next token.</param>
internal sealed record WidthScaling(double MatrixStd, double MatrixRate, double Scores, double Logits)
{
    public static WidthScaling None { get; } = new(1, 1, 1, 1);

    public static WidthScaling Of(ChemGptConfig config)
    {
        if (config.Parametrization == Parametrization.Standard) return None;
        double ratio = (double)config.BaseWidth / config.Width;
        return new WidthScaling(Math.Sqrt(ratio), ratio, ratio, ratio);
    }
}
