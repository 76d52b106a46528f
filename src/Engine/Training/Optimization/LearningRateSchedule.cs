using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// The learning rate of each optimizer step, but for what plateaus take off it (<see cref="Plateau"/>): a pure function of the step, so
/// there is nothing to save.
/// </summary>
/// <param name="spec">Shape.</param>
/// <param name="peak">Rate at the end of warm-up.</param>
/// <param name="totalSteps">The run's full length, where cosine and cooldown end; a run stopped early keeps the full length.</param>
internal sealed class LearningRateSchedule(ScheduleSpec spec, double peak, long totalSteps)
{
    /// <param name="step">From 0. Warm-up makes step s of w learn with peak (s + 1) / w, so that no step is wasted at 0.</param>
    public double At(long step)
    {
        if (step < spec.WarmupSteps) return peak * (step + 1) / spec.WarmupSteps;
        return spec.Kind switch
        {
            ScheduleKind.Cosine => Falling(0.5 * (1 + Math.Cos(Math.PI * Progress(spec.WarmupSteps)))),
            ScheduleKind.Cooldown => Falling(1 - Progress(Math.Max(spec.WarmupSteps, totalSteps - (long)Math.Round(spec.Cooldown * totalSteps)))),
            _ => peak,
        };

        double Progress(long from) => Math.Clamp((double)(step - from) / Math.Max(1, totalSteps - from), 0, 1);

        double Falling(double share) => peak * (spec.Floor + (1 - spec.Floor) * share);
    }
}

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
