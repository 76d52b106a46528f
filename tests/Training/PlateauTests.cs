using ChemScale.Engine;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public class PlateauTests
{
    private static readonly ScheduleSpec Spec = new() { Kind = ScheduleKind.Plateau, Factor = 0.5, Patience = 2, Threshold = 0.1, Floor = 0.2 };

    /// <summary>The factors that torch.optim.lr_scheduler.ReduceLROnPlateau gives for the same losses.</summary>
    [Test]
    public void The_rate_falls_after_more_stale_validations_than_it_has_patience_for()
    {
        var plateau = new Plateau();
        double[] losses = [1.0, 0.95, 0.91, 0.905, 0.8, 0.8, 0.79, 0.78, 0.77, 0.76, 0.75, 0.74, 0.73, 0.72];
        double[] factors = [.. losses.Select(loss =>
        {
            plateau.Add(loss, Spec);
            return plateau.RateFactor;
        })];
        Assert.That(factors, Is.EqualTo(new[] { 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2 }));
        Assert.That(plateau.Best, Is.EqualTo(0.8).Or.EqualTo(0.72));
    }

    [Test]
    public void A_plateau_without_validations_is_refused()
    {
        var training = new TrainingSpec { Steps = 1, Schedule = Spec, ValidationInterval = Interval.Never };
        var experiment = new Experiment { Model = ModelSpec.Of(new ChemScale.Engine.Models.PaiNNConfig()), Training = training };
        Assert.That(() => experiment.Validated(), Throws.TypeOf<InputException>().With.Message.Contains("plateau"));
    }
}
