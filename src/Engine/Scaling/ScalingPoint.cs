namespace ChemScale.Engine.Scaling;

/// <summary>One trained model as scaling sees it. Resources that are not known are null.</summary>
public sealed record ScalingPoint
{
    /// <summary>N: non-embedding parameters.</summary>
    public double? N { get; init; }

    /// <summary>D: training tokens or frames.</summary>
    public double? D { get; init; }

    /// <summary>C: training compute, FLOP.</summary>
    public double? C { get; init; }

    /// <summary>Above 0.</summary>
    public required double Loss { get; init; }

    /// <summary>Of its squared or Huber residual in a fit; above 0.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Runs that differ in nothing else tell the noise between seeds.</summary>
    public long? Seed { get; init; }

    /// <summary>For tables: a run's name, or file:line.</summary>
    public string Name { get; init; } = "";

    /// <exception cref="InputException">The point lacks this resource.</exception>
    public double Of(Resource resource) => resource switch
    {
        Resource.Parameters => N,
        Resource.Data => D,
        Resource.Compute => C,
        _ => throw new ArgumentOutOfRangeException(nameof(resource), resource, null),
    } ?? throw new InputException(Name.Length > 0 ? Name : "point", $"no {resource.ToString().ToLowerInvariant()}", "a number above 0");
}

/// <summary>What a loss is a function of.</summary>
public enum Resource
{
    Parameters,
    Data,
    Compute,
}
