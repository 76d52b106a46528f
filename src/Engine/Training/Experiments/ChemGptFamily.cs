using ChemScale.Engine.Models;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>ChemGPT: GPT-Neo language models of SELFIES.</summary>
public sealed class ChemGptFamily : ModelFamily
{
    public override string Name => "chemgpt";

    public override Type ConfigType => typeof(ChemGptConfig);

    public override void Check(object config, string place)
    {
        var c = (ChemGptConfig)config;
        Require(c.Layers >= 1, place, "layers", c.Layers, "at least 1");
        Require(c.Heads >= 1, place, "heads", c.Heads, "at least 1");
        Require(c.Width >= 1, place, "width", c.Width, "at least 1");
        Require(c.Width % c.Heads == 0, place, "width", c.Width, $"a multiple of model.heads ({c.Heads})");
        Require(c.Window >= 1, place, "window", c.Window, "at least 1");
        Require(c.Positions >= 2, place, "positions", c.Positions, "at least 2");
        Require(c.VocabularySize >= 2, place, "vocabularySize", c.VocabularySize, "at least 2");
        Require(c.LayerNormEpsilon > 0, place, "layerNormEpsilon", c.LayerNormEpsilon, "above 0");
        Require(c.InitStd >= 0, place, "initStd", c.InitStd, "at least 0");
    }
}
