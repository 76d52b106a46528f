using ChemScale.Engine.Tokens.Packing;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Packing;

public class PermutationTests
{
    [Test]
    public void Every_number_occurs_once([Values(1, 2, 3, 4, 5, 17, 64, 1000, 4097)] int length)
    {
        Permutation order = new(length, seed: 3, epoch: 2);
        Assert.That(
            Enumerable.Range(0, length).Select(i => order[i]).Order(),
            Is.EqualTo(Enumerable.Range(0, length).Select(i => (long)i)));
    }

    [Test]
    public void Every_number_is_as_likely_at_every_place()
    {
        const int length = 10, epochs = 20_000;
        int[,] counts = new int[length, length];
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            Permutation order = new(length, 1, epoch);
            for (int i = 0; i < length; i++) counts[i, order[i]]++;
        }
        // 2,000 expected, standard deviation 42.
        Expect.Above(counts.Cast<int>().Min(), 1780);
        Expect.Below(counts.Cast<int>().Max(), 2220);
    }

    [Test]
    public void Lengths_beyond_thirty_two_bits_work()
    {
        Permutation order = new(1L << 40, 1, 0);
        long[] values = [.. Enumerable.Range(0, 1000).Select(i => order[i])];
        Assert.That(values.Distinct().Count(), Is.EqualTo(1000));
        Expect.Close(values.Average(), (double)(1L << 39), absolute: (1L << 40) * 0.04);
        Assert.That(() => order[1L << 40], Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
