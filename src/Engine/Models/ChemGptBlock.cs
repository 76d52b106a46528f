using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Operators.Transformer;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Engine.Models;

/// <summary>One layer: x += proj(attention(LN1 x)); x += W2 gelu(W1 LN2 x + b1) + b2. Queries, keys and values have no bias.</summary>
internal sealed class ChemGptBlock : nn.Module
{
    public ChemGptBlock(ChemGptConfig config, double scale, int layer, ParameterInit init)
        : base(nameof(ChemGptBlock))
    {
        Settings = new TransformerSettings(config.Heads, config.IsLocal(layer) ? config.Window : 0, scale, config.LayerNormEpsilon);
        int h = config.Width, inner = config.MlpWidth;
        Norm1Weight = Register("ln_1_weight", init.Constant(1, h));
        Norm1Bias = Register("ln_1_bias", init.Constant(0, h));
        QueryKeyValue = Register("qkv", init.Normal(3 * h, h));
        ProjectionWeight = Register("out_proj_weight", init.Normal(h, h));
        ProjectionBias = Register("out_proj_bias", init.Constant(0, h));
        Norm2Weight = Register("ln_2_weight", init.Constant(1, h));
        Norm2Bias = Register("ln_2_bias", init.Constant(0, h));
        ExpandWeight = Register("c_fc_weight", init.Normal(inner, h));
        ExpandBias = Register("c_fc_bias", init.Constant(0, inner));
        ContractWeight = Register("c_proj_weight", init.Normal(h, inner));
        ContractBias = Register("c_proj_bias", init.Constant(0, h));
    }

    internal Parameter Norm1Weight { get; }

    internal Parameter Norm1Bias { get; }

    /// <summary>(3 h, h)</summary>
    internal Parameter QueryKeyValue { get; }

    internal Parameter ProjectionWeight { get; }

    internal Parameter ProjectionBias { get; }

    internal Parameter Norm2Weight { get; }

    internal Parameter Norm2Bias { get; }

    internal Parameter ExpandWeight { get; }

    internal Parameter ExpandBias { get; }

    internal Parameter ContractWeight { get; }

    internal Parameter ContractBias { get; }

    internal TransformerSettings Settings { get; private set; }

    /// <summary>What attention multiplies in.</summary>
    internal AttentionPrecision Precision
    {
        get => Settings.Precision;
        set => Settings = Settings with { Precision = value };
    }

    /// <summary>Whether a parameter of this name within the layer multiplies vectors of the model's width, rather than being one.</summary>
    internal static bool IsMatrix(string name) => name is "qkv" or "out_proj_weight" or "c_fc_weight" or "c_proj_weight";

    internal BlockWeights Weights => new(
        Norm1Weight, Norm1Bias, QueryKeyValue, ProjectionWeight, ProjectionBias, Norm2Weight, Norm2Bias, ExpandWeight, ExpandBias, ContractWeight, ContractBias);

    /// <summary>The second half of the layer, residual included.</summary>
    internal Tensor FeedForward(Tensor x) => TransformerStack.FeedForward(Settings, x, Weights);

    internal Tensor Norm(Tensor x, Tensor weight, Tensor bias) => LayerNorm.Apply(x, weight, bias, Settings.Epsilon);

    private Parameter Register(string name, Parameter parameter)
    {
        register_parameter(name, parameter);
        return parameter;
    }
}
