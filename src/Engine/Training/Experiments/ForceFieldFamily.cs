using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>A force field: trained on frames, to energies and forces.</summary>
public sealed class ForceFieldFamily<TConfig>(string name) : ModelFamily
    where TConfig : ForceFieldConfig
{
    public override string Name => name;

    public override Type ConfigType => typeof(TConfig);

    public override void Check(object config, string place) => ((ForceFieldConfig)config).Validate($"{place}: model");
}
