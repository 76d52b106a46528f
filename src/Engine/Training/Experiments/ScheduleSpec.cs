using System.ComponentModel.DataAnnotations;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>How the learning rate moves; warm-up counts optimizer steps, not epochs.</summary>
public sealed record ScheduleSpec
{
    public ScheduleKind Kind { get; init; } = ScheduleKind.Constant;

    /// <summary>Steps over which the rate rises linearly to its peak.</summary>
    [Range(0, long.MaxValue)]
    public long WarmupSteps { get; init; } = 100;

    /// <summary>Where the cosine ends, as a fraction of the peak.</summary>
    [Range(0, 1)]
    public double Floor { get; init; }
}

public enum ScheduleKind
{
    /// <summary>The peak, after warm-up.</summary>
    Constant,

    /// <summary>Half a cosine from the peak to <see cref="ScheduleSpec.Floor"/> over the run's full length.</summary>
    Cosine,
}
