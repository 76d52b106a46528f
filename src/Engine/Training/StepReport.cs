namespace ChemScale.Engine.Training;

/// <summary>What a progress display shows after each optimizer step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Epoch">From 0.</param>
/// <param name="Loss">Mean training loss of the step.</param>
/// <param name="ValidationLoss">The latest one; null before the first.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="GradientNorm">Global L2 norm before clipping.</param>
/// <param name="Items">Tokens or frames of this step.</param>
/// <param name="ItemsSeen">Tokens or frames since the run began.</param>
/// <param name="ItemsPerSecond">Of this step.</param>
/// <param name="ItemName">What is counted.</param>
/// <param name="Seconds">Since the run began, all sessions together.</param>
public readonly record struct StepReport(
    long Step,
    long TotalSteps,
    long Epoch,
    double Loss,
    double? ValidationLoss,
    double LearningRate,
    double GradientNorm,
    long Items,
    long ItemsSeen,
    double ItemsPerSecond,
    string ItemName,
    double Seconds);
