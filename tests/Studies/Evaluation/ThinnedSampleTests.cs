using ChemScale.Engine.Studies.Evaluation;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Evaluation;

public sealed class ThinnedSampleTests
{
    [Test]
    public void What_fits_is_kept_whole()
    {
        ThinnedSample<int> sample = Sample(100, 100);
        Assert.That(sample.IsComplete);
        Assert.That(sample.Items, Is.EqualTo(Enumerable.Range(0, 100)));
    }

    [Test]
    public void More_is_thinned_alike_each_time_and_evenly()
    {
        ThinnedSample<int> sample = Sample(1000, 96_000);
        Assert.That(sample.Items, Is.EqualTo(Sample(1000, 96_000).Items));
        Expect.Ascending(sample.Items);
        Expect.Between(sample.Count, 400, 1000);
        Assert.That(sample.Seen, Is.EqualTo(96_000));
        Assert.That(sample.IsComplete, Is.False);
        // A molecule of eight atoms has 24 components: each has its share.
        int[] places = [.. Enumerable.Range(0, 24).Select(place => sample.Items.Count(item => item % 24 == place))];
        Expect.AllBetween(places, sample.Count / 24 / 3, 3 * sample.Count / 24);
        Expect.Close(sample.Items.Average(), 48_000, absolute: 4000);
    }

    private static ThinnedSample<int> Sample(int capacity, int count)
    {
        var sample = new ThinnedSample<int>(capacity);
        for (int i = 0; i < count; i++) sample.Add(i);
        return sample;
    }
}
