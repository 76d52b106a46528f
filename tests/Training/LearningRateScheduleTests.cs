using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public class LearningRateScheduleTests
{
    [Test]
    public void Constant_rises_linearly_in_steps_then_stays()
    {
        var schedule = new LearningRateSchedule(new ScheduleSpec { WarmupSteps = 4 }, 0.2, 100);
        Expect.Close(Enumerable.Range(0, 6).Select(s => schedule.At(s)), new[] { 0.05, 0.1, 0.15, 0.2, 0.2, 0.2 }, absolute: 1e-15);
        Assert.That(schedule.At(99), Is.EqualTo(0.2));
        Assert.That(new LearningRateSchedule(new ScheduleSpec { WarmupSteps = 0 }, 0.2, 100).At(0), Is.EqualTo(0.2));
    }

    [Test]
    public void Cosine_falls_from_the_peak_to_the_floor_over_the_full_length()
    {
        var schedule = new LearningRateSchedule(new ScheduleSpec { Kind = ScheduleKind.Cosine, WarmupSteps = 10, Floor = 0.1 }, 2, 110);
        Assert.That(schedule.At(9), Is.EqualTo(2));
        Assert.That(schedule.At(10), Is.EqualTo(2));
        Expect.Close(schedule.At(35), 2 * (0.1 + 0.9 * (0.5 + Math.Sqrt(0.125))), absolute: 1e-15);
        Expect.Close(schedule.At(60), 2 * 0.55, absolute: 1e-15);
        Expect.Close(schedule.At(110), 0.2, absolute: 1e-15);
        Expect.Close(schedule.At(1000), 0.2, absolute: 1e-15);
        Expect.Descending(Enumerable.Range(10, 100).Select(s => schedule.At(s)));
    }

    [Test]
    public void A_run_shorter_than_its_warm_up_is_no_error()
    {
        var schedule = new LearningRateSchedule(new ScheduleSpec { Kind = ScheduleKind.Cosine, WarmupSteps = 100 }, 1, 10);
        Expect.Close(schedule.At(9), 0.1, absolute: 1e-15);
    }
}
