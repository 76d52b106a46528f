using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// Where a schedule that reduces on plateaus stands: the rule of torch.optim.lr_scheduler.ReduceLROnPlateau (least is best, relative
/// threshold, no cooldown). Saved in checkpoints as it is.
/// </summary>
internal sealed record Plateau
{
    /// <summary>What the peak is multiplied by now.</summary>
    public double RateFactor { get; set; } = 1;

    /// <summary>The loss that the next one has to improve on; null before the first.</summary>
    public double? Best { get; set; }

    /// <summary>Validations without improvement since the best, or since the last reduction.</summary>
    public int Stale { get; set; }

    public void Add(double validationLoss, ScheduleSpec spec)
    {
        if (Best is not { } best || validationLoss < best * (1 - spec.Threshold))
        {
            Best = validationLoss;
            Stale = 0;
            return;
        }
        if (++Stale <= spec.Patience) return;
        RateFactor = Math.Max(spec.Floor, RateFactor * spec.Factor);
        Stale = 0;
    }
}
