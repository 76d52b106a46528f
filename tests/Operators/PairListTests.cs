using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class PairListTests
{
    [Test]
    public void Edges_with_a_reverse_are_pairs_and_others_come_last()
    {
        using DisposeScope scope = NewDisposeScope();
        // 0 <- 1, 0 <- 2, 1 <- 0; the edge from 2 has no reverse.
        using var edges = new EdgeList([0, 2, 3, 3], [1, 2, 0], [2, 1, 0]);
        PairList pairs = edges.Pairs;
        Assert.That((pairs.Count, pairs.TwoWay), Is.EqualTo((2, 1)));
        Assert.That(Numbers(pairs.Edges), Is.EqualTo(new long[] { 0, 1 }));
        Assert.That(Numbers(pairs.Senders), Is.EqualTo(new long[] { 1, 2, 0 }));
        Assert.That(Numbers(pairs.Receivers), Is.EqualTo(new long[] { 0, 0, 1 }));
        Tensor values = tensor(new long[] { 5, 7 });
        Assert.That(Numbers(pairs.OfEdges(values)), Is.EqualTo(new long[] { 5, 7, 5 }));
        Assert.That(Numbers(pairs.OfEdges(values, odd: true)), Is.EqualTo(new long[] { 5, 7, -5 }));
    }

    [Test]
    public void Reverses_that_do_not_join_the_same_atoms_are_none()
    {
        using var edges = new EdgeList([0, 2, 3], [1, 1, 0], [1, 0, 2]);
        Assert.That((edges.Pairs.Count, edges.Pairs.TwoWay), Is.EqualTo((3, 0)));
        Assert.That(() => new EdgeList([0, 1, 2], [1, 0], [1, 2]), Throws.ArgumentException);
    }

    private static long[] Numbers(Tensor values) => values.data<long>().ToArray();
}
