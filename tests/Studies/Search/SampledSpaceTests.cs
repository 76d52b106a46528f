using ChemScale.Engine;
using ChemScale.Engine.Studies.Search;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Search;

public class SampledSpaceTests
{
    [Test]
    public void Samples_lie_in_their_ranges_with_batches_of_powers_of_two_and_the_default([Values(SpaceKind.LogUniform, SpaceKind.Sobol)] SpaceKind kind)
    {
        var ranges = new SpaceRanges { LowestRate = 1e-4, HighestRate = 1e-2, SmallestBatch = 3, LargestBatch = 100, Count = 20 };
        IReadOnlyList<Configuration> all = SearchSpace.Sampled(kind, ranges).Configurations;
        Assert.That(all, Has.Count.EqualTo(21).And.Unique);
        Assert.That(all[^1], Is.EqualTo(Configuration.HuggingFaceDefault));
        Assert.That(all.Select(c => c.Name), Is.Unique);
        foreach (Configuration c in all.SkipLast(1))
        {
            Expect.Between(c.LearningRate, 0.999e-4, 1.001e-2);
            Assert.That(c.BatchSize, Is.AnyOf(4, 8, 16, 32, 64));
        }
        Assert.That(all.SkipLast(1).Select(c => c.BatchSize).Distinct().Count(), Is.EqualTo(5));
    }

    [Test]
    public void Sobol_spreads_rates_over_every_part_of_the_range()
    {
        var ranges = new SpaceRanges { LowestRate = 1e-4, HighestRate = 1e-2, SmallestBatch = 4, LargestBatch = 32, Count = 16 };
        IEnumerable<int> parts = ranges.Sample(SpaceKind.Sobol).Select(c => (int)(8 * Math.Log10(c.LearningRate / 1e-4) / 2 + 1e-3));
        Assert.That(parts.GroupBy(p => p).Select(g => g.Count()), Has.All.EqualTo(2).And.Exactly(8).Items);
    }

    [Test]
    public void The_seed_decides([Values(SpaceKind.LogUniform, SpaceKind.Sobol)] SpaceKind kind)
    {
        var ranges = new SpaceRanges();
        Assert.That(ranges.Sample(kind), Is.EqualTo(new SpaceRanges().Sample(kind)));
        Assert.That(ranges.Sample(kind), Is.Not.EqualTo((ranges with { Seed = 7 }).Sample(kind)));
    }

    [Test]
    public void Ranges_that_hold_nothing_are_refused()
    {
        foreach (SpaceRanges wrong in (SpaceRanges[])
            [
                new() { LowestRate = 0 }, new() { LowestRate = 1 }, new() { SmallestBatch = 5, LargestBatch = 7 }, new() { SmallestBatch = 0, LargestBatch = 4 },
                new() { Count = 0 }, new() { LowestRate = 1e-3, HighestRate = 1e-3, SmallestBatch = 4, LargestBatch = 8, Count = 3 },
            ])
            Assert.That(() => wrong.Sample(SpaceKind.Sobol), Throws.TypeOf<InputException>());
        Assert.That(() => SearchSpace.Sampled(SpaceKind.Grid, new SpaceRanges()), Throws.TypeOf<InputException>());
    }
}
