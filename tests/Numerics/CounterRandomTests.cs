using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class CounterRandomTests
{
    [Test]
    public void A_stream_depends_on_its_seed_and_number_alone()
    {
        var a = new CounterRandom(7, 3);
        var b = new CounterRandom(7, 3);
        ulong[] first = [.. Enumerable.Range(0, 5).Select(_ => a.NextUInt64())];
        Assert.That(Enumerable.Range(0, 5).Select(_ => b.NextUInt64()), Is.EqualTo(first));
        var neighbour = new CounterRandom(7, 4);
        var other = new CounterRandom(8, 3);
        Assert.That(neighbour.NextUInt64(), Is.Not.EqualTo(first[0]));
        Assert.That(other.NextUInt64(), Is.Not.EqualTo(first[0]));
    }

    [Test]
    public void Normals_have_the_moments_of_normals()
    {
        var random = new CounterRandom(1, 0);
        double sum = 0, squares = 0, fourth = 0;
        const int n = 100_000;
        for (int i = 0; i < n; i++)
        {
            double z = random.NextNormal();
            sum += z;
            squares += z * z;
            fourth += z * z * z * z;
        }
        Expect.Close(sum / n, 0, absolute: 0.015);
        Expect.Close(squares / n, 1, absolute: 0.02);
        Expect.Close(fourth / n, 3, absolute: 0.15);
    }

    [Test]
    public void Whole_numbers_fill_their_range_evenly_over_many_streams()
    {
        int[] counts = new int[7];
        for (ulong stream = 0; stream < 70_000; stream++)
        {
            var random = new CounterRandom(42, stream);
            counts[random.NextInt(7)]++;
        }
        double chiSquared = counts.Sum(c => (c - 10_000.0) * (c - 10_000) / 10_000);
        Expect.Above(Distributions.ChiSquaredTail(chiSquared, 6), 1e-4);
    }
}
