using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class SobolSequenceTests
{
    // What Joe and Kuo's own program prints for three dimensions.
    private static readonly double[][] Published =
    [
        [0, 0, 0], [0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625], [0.875, 0.875, 0.125], [0.625, 0.125, 0.875],
        [0.125, 0.625, 0.375], [0.1875, 0.3125, 0.9375], [0.6875, 0.8125, 0.4375],
    ];

    [Test]
    public void The_first_points_are_the_published_ones()
    {
        var two = new SobolSequence(2);
        var three = new SobolSequence(3);
        for (int i = 0; i < Published.Length; i++)
        {
            Assert.That(three.Point(i), Is.EqualTo(Published[i]));
            Assert.That(two.Point(i), Is.EqualTo(Published[i][..2]));
        }
    }

    [Test]
    public void Every_axis_is_evenly_filled_by_each_run_of_a_power_of_two([Values(2, 3, 4)] int dimensions, [Values(null, 1ul, 77ul)] ulong? seed)
    {
        var sequence = new SobolSequence(dimensions, seed);
        for (int m = 0; m <= 8; m++)
        {
            for (int block = 0; block < 3; block++)
            {
                double[][] points = [.. Enumerable.Range(block << m, 1 << m).Select(sequence.Point)];
                for (int k = 0; k < dimensions; k++)
                {
                    IEnumerable<int> cells = points.Select(p => (int)(p[k] * (1 << m))).Order();
                    Assert.That(cells, Is.EqualTo(Enumerable.Range(0, 1 << m)), $"axis {k} of points {block << m} to {((block + 1) << m) - 1}");
                }
            }
        }
    }

    [Test]
    public void In_two_dimensions_every_box_of_one_point_holds_one_point([Values(null, 5ul)] ulong? seed)
    {
        var sequence = new SobolSequence(2, seed);
        const int M = 8;
        double[][] points = [.. Enumerable.Range(0, 1 << M).Select(sequence.Point)];
        for (int a = 0; a <= M; a++)
        {
            int wide = 1 << a, high = 1 << (M - a);
            Assert.That(points.Select(p => (int)(p[0] * wide) * high + (int)(p[1] * high)).Order(), Is.EqualTo(Enumerable.Range(0, 1 << M)));
        }
    }

    [Test]
    public void A_seed_shifts_the_points_and_the_same_seed_gives_the_same()
    {
        double[] again = new SobolSequence(4, 3).Point(9);
        Assert.That(new SobolSequence(4, 3).Point(9), Is.EqualTo(again).And.Not.EqualTo(new SobolSequence(4, 4).Point(9)));
        double[] first = new SobolSequence(4, 3).Point(0);
        Expect.AllBetween(first, 0, 1);
        Assert.That(first, Has.Some.Not.Zero);
    }

    [TestCase(1)]
    [TestCase(5)]
    public void Dimensions_without_direction_numbers_are_refused(int dimensions) =>
        Assert.That(() => new SobolSequence(dimensions), Throws.TypeOf<InputException>());
}
