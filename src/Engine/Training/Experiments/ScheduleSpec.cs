using System.ComponentModel.DataAnnotations;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>How the learning rate moves; warm-up counts optimizer steps, not epochs.</summary>
public sealed record ScheduleSpec
{
    public ScheduleKind Kind { get; init; } = ScheduleKind.Constant;

    /// <summary>Steps over which the rate rises linearly to its peak.</summary>
    [Range(0, long.MaxValue)]
    public long WarmupSteps { get; init; } = 100;

    /// <summary>Where the cosine ends, and where a plateau reduces no further: as a fraction of the peak.</summary>
    [Range(0, 1)]
    public double Floor { get; init; }

    /// <summary>What a plateau multiplies the rate by.</summary>
    [Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Factor { get; init; } = 0.5;

    /// <summary>Validations without improvement that a plateau waits through; the next one reduces the rate.</summary>
    [Range(0, int.MaxValue)]
    public int Patience { get; init; } = 25;

    /// <summary>What counts as an improvement: a loss below the best by more than this fraction of it.</summary>
    [Range(0, 1)]
    public double Threshold { get; init; } = 1e-4;
}

public enum ScheduleKind
{
    /// <summary>The peak, after warm-up.</summary>
    Constant,

    /// <summary>Half a cosine from the peak to <see cref="ScheduleSpec.Floor"/> over the run's full length.</summary>
    Cosine,

    /// <summary>The peak, multiplied by <see cref="ScheduleSpec.Factor"/> whenever the validation loss stops improving.</summary>
    Plateau,
}
