namespace ChemScale.Engine.Training.Runs;

/// <summary>How a run, or a part of one, ended. Losses are in the task's units (nats per token for language models).</summary>
/// <param name="Reason">Only <see cref="StopReason.Completed"/> and <see cref="StopReason.Patience"/> complete a run.</param>
/// <param name="Steps">Optimizer steps done since the run began.</param>
/// <param name="ItemsSeen">Tokens or frames trained on since the run began, repeats included.</param>
/// <param name="Seconds">Time spent, all sessions of the run together.</param>
/// <param name="FinalValidationLoss">The last one measured; null where none was.</param>
/// <param name="BestValidationLoss">The least one measured; null where none was.</param>
/// <param name="BestStep">Steps done when the best was measured.</param>
/// <param name="Checkpoint">Name of the last checkpoint in the run's <c>checkpoints</c>; null where none was written.</param>
public sealed record TrainingResult(
    StopReason Reason,
    long Steps,
    long ItemsSeen,
    double Seconds,
    double? FinalValidationLoss,
    double? BestValidationLoss,
    long? BestStep,
    string? Checkpoint)
{
    /// <summary>Whether the run has reached its end, rather than being put aside.</summary>
    public bool IsComplete => Reason is StopReason.Completed or StopReason.Patience;
}

public enum StopReason
{
    /// <summary>All epochs or steps were done.</summary>
    Completed,

    /// <summary>The validation loss had stopped falling.</summary>
    Patience,

    /// <summary>The step that was asked for is reached; the run can be resumed.</summary>
    StopStep,

    /// <summary>Somebody asked for the end; the run can be resumed.</summary>
    Cancelled,
}
