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
    public void Cooldown_stays_at_the_peak_then_falls_in_a_straight_line_to_the_floor()
    {
        var schedule = new LearningRateSchedule(new ScheduleSpec { Kind = ScheduleKind.Cooldown, WarmupSteps = 10, Floor = 0.1, Cooldown = 0.25 }, 2, 80);
        Assert.That(Enumerable.Range(9, 52).Select(s => schedule.At(s)), Is.All.EqualTo(2), "to the step before the last quarter, and its first");
        Expect.Close(new[] { 61, 65, 70, 79, 80, 1000 }.Select(s => schedule.At(s)), new[] { 1.91, 1.55, 1.1, 0.29, 0.2, 0.2 }, absolute: 1e-12);
        var all = new LearningRateSchedule(new ScheduleSpec { Kind = ScheduleKind.Cooldown, WarmupSteps = 10, Cooldown = 1 }, 1, 110);
        Expect.Close(all.At(60), 0.5, absolute: 1e-15);
    }

    [Test]
    public void A_cooldown_is_the_trunk_of_a_longer_run_until_it_begins()
    {
        var spec = new ScheduleSpec { Kind = ScheduleKind.Cooldown, WarmupSteps = 5 };
        LearningRateSchedule shorter = new(spec, 1e-3, 100), longer = new(spec, 1e-3, 1000);
        Assert.That(Enumerable.Range(0, 81).Select(s => shorter.At(s)), Is.EqualTo(Enumerable.Range(0, 81).Select(s => longer.At(s))));
        Expect.Descending(Enumerable.Range(80, 20).Select(s => shorter.At(s)));
    }

    [Test]
    public void A_run_shorter_than_its_warm_up_is_no_error()
    {
        var schedule = new LearningRateSchedule(new ScheduleSpec { Kind = ScheduleKind.Cosine, WarmupSteps = 100 }, 1, 10);
        Expect.Close(schedule.At(9), 0.1, absolute: 1e-15);
    }
}
