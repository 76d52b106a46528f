using System.ComponentModel.DataAnnotations;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>The training section. Defaults are those ChemGPT was trained with (Frey et al. 2023) where it says.</summary>
public sealed record TrainingSpec
{
    public OptimizerSpec Optimizer { get; init; } = new();

    /// <summary>Peak learning rate, reached after warm-up.</summary>
    [Range(0, 1e3)]
    public double LearningRate { get; init; } = 2e-5;

    public ScheduleSpec Schedule { get; init; } = new();

    /// <summary>How errors of energies, forces and stress add up; language models have no use for it.</summary>
    public LabelLossSpec LabelLoss { get; init; } = new();

    /// <summary>Molecules or frames per micro-batch.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 8;

    /// <summary>
    /// Frames: at most this many atoms per micro-batch; batches are then packed to a budget and <see cref="BatchSize"/> says nothing.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int? BatchAtoms { get; init; }

    /// <summary>Frames: at most this many directed edges within the cutoff per micro-batch; with <see cref="BatchAtoms"/>, both hold.</summary>
    [Range(1, int.MaxValue)]
    public int? BatchEdges { get; init; }

    /// <summary>Micro-batches per optimizer step; the last step of an epoch takes what is left.</summary>
    [Range(1, int.MaxValue)]
    public int Accumulation { get; init; } = 1;

    /// <summary>Global L2 norm that gradients are scaled down to; null for no clipping.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double? ClipNorm { get; init; }

    /// <summary>Passes over the training data. With <see cref="Steps"/> too, whichever ends first.</summary>
    [Range(1, int.MaxValue)]
    public int? Epochs { get; init; }

    /// <summary>Optimizer steps. With <see cref="Epochs"/> too, whichever ends first.</summary>
    [Range(1, long.MaxValue)]
    public long? Steps { get; init; }

    /// <summary>Decay per step of an exponential moving average of the weights, which then is what is validated; null for none.</summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double? EmaDecay { get; init; }

    /// <summary>When validation happens, besides at the end: <c>1 epochs</c>, <c>0.25 epochs</c>, <c>500 steps</c>, <c>never</c>.</summary>
    public Interval ValidationInterval { get; init; } = Interval.Epochs(1);

    /// <summary>
    /// When checkpoints are written, besides at the end: as above, or <c>10 minutes</c>; <c>never</c> means not even at the end.
    /// </summary>
    [OutsideIdentity]
    public Interval CheckpointInterval { get; init; } = Interval.Minutes(10);

    /// <summary>Keep the weights of the least validation loss beside the checkpoints; evaluation then takes those.</summary>
    [OutsideIdentity]
    public bool KeepBest { get; init; }

    /// <summary>Validations without improvement after which the run ends; null to go on to the end.</summary>
    [Range(1, int.MaxValue)]
    public int? Patience { get; init; }

    /// <summary>Run directory whose weights this training begins with; null: those of the seed.</summary>
    [OutsideIdentity]
    public string? InitFrom { get; init; }

    /// <summary>What those weights are: experiment, step, and the first 16 digits of their SHA-256. Filled in where <see cref="InitFrom"/> is given.</summary>
    public string? InitWeights { get; init; }

    /// <summary>
    /// Language models: symbols that the model of those weights knows and the data lack, a blank between. They are tokens of this model, too, behind those of
    /// the data. Filled in where <see cref="InitFrom"/> is given; null: none.
    /// </summary>
    public string? InitSymbols { get; init; }

    /// <summary>Names of parameters that are not trained, <c>*</c> for any letters, a comma between: <c>wte,wpe,h0.*</c>; null: all are trained.</summary>
    public string? Freeze { get; init; }

    /// <summary>Run directory of the complete run that this one goes on with, as one experiment that is longer.</summary>
    [OutsideIdentity]
    public string? ParentRun { get; init; }

    /// <summary>What that run was, and where it ended: experiment@step; null: this run begins at step 0.</summary>
    public string? Parent { get; init; }

    /// <summary>Type of weights and gradients.</summary>
    public Precision Dtype { get; init; } = Precision.Float32;

    /// <summary>Language models: what attention multiplies in; less than the weights' type is to be had on CUDA alone.</summary>
    public AttentionPrecision Attention { get; init; } = AttentionPrecision.Weights;

    /// <summary>CPU threads; 0 leaves the choice to the library.</summary>
    [OutsideIdentity]
    [Range(0, 4096)]
    public int Threads { get; init; }

    [OutsideIdentity]
    public ComputeDevice Device { get; init; } = ComputeDevice.Cpu;

    /// <summary>Which form of an operation runs.</summary>
    [OutsideIdentity]
    public OperatorMode Operators { get; init; } = OperatorMode.Auto;

    /// <summary>The run's full length.</summary>
    internal long TotalSteps(long stepsPerEpoch) => Math.Min(Steps ?? long.MaxValue, Epochs is { } epochs ? epochs * stepsPerEpoch : long.MaxValue);

    internal void Check(string place)
    {
        if (Epochs is null && Steps is null)
            throw new InputException($"{place}: training", "neither epochs nor steps is given", "how long to train",
                "add `epochs: 10` to training");
        if (ValidationInterval.Unit == IntervalUnit.Minutes)
            throw new InputException($"{place}: training.validationInterval", ValidationInterval.ToString(), "epochs, steps or never");
        if (Schedule.Kind == ScheduleKind.Plateau && ValidationInterval.Unit == IntervalUnit.Never)
            throw new InputException($"{place}: training.schedule", "plateau without validation", "a validation interval", "plateaus are those of the validation loss");
    }

    /// <param name="headWidth">Of the model's attention.</param>
    /// <param name="place">Of the experiment.</param>
    /// <exception cref="InputException">A precision that such attention cannot have, or not there.</exception>
    internal void CheckAttention(int headWidth, string place)
    {
        if (Attention == AttentionPrecision.Weights) return;
        place = $"{place}: training.attention";
        AttentionPrecisions.RequireOperators(Attention, Operators, place);
        AttentionPrecisions.RequireWidth(Attention, headWidth, place);
        if (Dtype != Precision.Float32) throw new InputException(place, "bfloat16 for weights in float64", "training.dtype: float32");
        if (Device != ComputeDevice.Cuda) throw new InputException(place, "bfloat16 on the CPU", "training.device: cuda", "`attention: weights` runs anywhere");
    }
}

/// <summary>Type of weights and gradients.</summary>
public enum Precision
{
    Float32,
    Float64,
}

/// <summary>Where tensors live.</summary>
public enum ComputeDevice
{
    Cpu,
    Cuda,
}

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

/// <summary>How the learning rate moves; warm-up counts optimizer steps, not epochs.</summary>
public sealed record ScheduleSpec
{
    public ScheduleKind Kind { get; init; } = ScheduleKind.Constant;

    /// <summary>Steps over which the rate rises linearly to its peak.</summary>
    [Range(0, long.MaxValue)]
    public long WarmupSteps { get; init; } = 100;

    /// <summary>Where cosine and cooldown end, and where a plateau reduces no further: as a fraction of the peak.</summary>
    [Range(0, 1)]
    public double Floor { get; init; }

    /// <summary>Of a run that goes on with another: counts steps, warm-up and full length, from where it began.</summary>
    public bool Restart { get; init; }

    /// <summary>The last part of the run's full length, over which a cooldown takes the rate down.</summary>
    [Range(0, 1, MinimumIsExclusive = true)]
    public double Cooldown { get; init; } = 0.2;

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

    /// <summary>
    /// The peak, then a straight line to <see cref="ScheduleSpec.Floor"/> over the last <see cref="ScheduleSpec.Cooldown"/> of the run's full length (Hägele et
    /// al. 2024, arXiv 2405.18392): until the line begins a run is what a longer one would have been.
    /// </summary>
    Cooldown,
}
