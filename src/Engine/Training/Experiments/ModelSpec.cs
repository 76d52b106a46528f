namespace ChemScale.Engine.Training.Experiments;

/// <summary>The model section: a family and that family's configuration record.</summary>
public sealed record ModelSpec
{
    private ModelSpec(ModelFamily family, object config)
    {
        Family = family;
        Config = config;
    }

    public ModelFamily Family { get; }

    /// <summary>An instance of <see cref="ModelFamily.ConfigType"/>.</summary>
    public object Config { get; }

    /// <summary>The family is found by the type of its configuration.</summary>
    /// <exception cref="ArgumentException">No family has configurations of this type.</exception>
    public static ModelSpec Of(object config)
    {
        ModelFamily family = ModelFamily.All.FirstOrDefault(f => f.ConfigType == config.GetType())
            ?? throw new ArgumentException($"no model family is configured by {config.GetType().Name}", nameof(config));
        return new ModelSpec(family, config);
    }
}
