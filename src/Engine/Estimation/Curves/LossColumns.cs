namespace ChemScale.Engine.Estimation.Curves;

/// <summary>
/// Names of a CSV's columns; PyTorch Lightning's by default. Null: the file has none. Those it lacks are left out of the
/// curve.
/// </summary>
public sealed record LossColumns
{
    public static LossColumns Lightning { get; } = new();

    public string? Epoch { get; init; } = "epoch";

    public string? Step { get; init; } = "step";

    public string? TrainLossStep { get; init; } = "train_loss_step";

    public string? TrainLossEpoch { get; init; } = "train_loss_epoch";

    public string? ValidationLoss { get; init; } = "val_loss";

    /// <summary>Where epochs are not written; null leaves one step to an epoch.</summary>
    public int? StepsPerEpoch { get; init; }
}
