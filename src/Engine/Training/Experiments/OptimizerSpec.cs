using System.ComponentModel.DataAnnotations;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101); weight decay 0 makes it Adam.</summary>
public sealed record OptimizerSpec
{
    public OptimizerKind Name { get; init; } = OptimizerKind.Adamw;

    [Range(0, 1, MaximumIsExclusive = true)]
    public double Beta1 { get; init; } = 0.9;

    [Range(0, 1, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.999;

    [Range(0, 1)]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled; applied to every parameter, as torch.optim.AdamW does.</summary>
    [Range(0, 1e3)]
    public double WeightDecay { get; init; } = 0.01;

    public MomentPrecision Moments { get; init; } = MomentPrecision.Weights;
}

public enum OptimizerKind
{
    Adamw,
}

/// <summary>Type the two moments are kept in.</summary>
public enum MomentPrecision
{
    /// <summary>The type of the weights.</summary>
    Weights,

    /// <summary>Half the memory; updates are computed in float32, the second moment is rounded stochastically.</summary>
    Bfloat16,
}
