using ChemScale.Engine.Models;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>ChemGPT: GPT-Neo language models of SELFIES.</summary>
public sealed class ChemGptFamily : ModelFamily
{
    public override string Name => "chemgpt";

    public override Type ConfigType => typeof(ChemGptConfig);

    public override void Check(object config, string place) => ((ChemGptConfig)config).Validate($"{place}: model");
}
