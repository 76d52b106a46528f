using ChemScale.Engine.Chemistry.Library;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Library;

public class IndexPermutationTests
{
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(17)]
    [TestCase(64)]
    [TestCase(65)]
    [TestCase(1000)]
    [TestCase(4097)]
    public void Every_number_of_a_small_range_is_hit_once(int count)
    {
        IndexPermutation permutation = new(count, 5);
        Assert.That(Enumerable.Range(0, count).Select(i => permutation[i]).Order(), Is.EqualTo(Enumerable.Range(0, count)));
    }

    [Test]
    public void A_prefix_is_spread_evenly_over_a_large_range()
    {
        const long count = 1_000_000_000_000;
        IndexPermutation permutation = new(count, 0);
        int[] tenths = new int[10];
        for (int i = 0; i < 10_000; i++) tenths[permutation[i] / (count / 10)]++;
        Expect.AllBetween(tenths, 850, 1150, "five standard deviations about 1,000");
    }

    [Test]
    public void A_seed_chooses_the_order()
    {
        long[] First(ulong seed) => [.. Enumerable.Range(0, 50).Select(i => new IndexPermutation(1000, seed)[i])];
        long[] again = First(1);
        Assert.That(First(1), Is.EqualTo(again));
        Assert.That(First(1), Is.Not.EqualTo(First(2)));
    }

    [Test]
    public void Numbers_outside_the_range_are_refused()
    {
        IndexPermutation permutation = new(10, 0);
        Assert.That(() => permutation[10], Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => permutation[-1], Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new IndexPermutation(0, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
