using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class SegmentsTests
{
    [Test]
    public void Sums_go_to_receivers_and_rows_come_from_senders()
    {
        using DisposeScope scope = NewDisposeScope();
        using var edges = new EdgeList([0, 2, 2, 3], [1, 2, 0], [2, 1, 0]);
        Tensor atoms = tensor(new double[] { 1, 10, 100 }).view(3, 1);
        Tensor onEdges = SenderRows.Apply(atoms, edges);
        Assert.That(onEdges.data<double>().ToArray(), Is.EqualTo(new double[] { 10, 100, 1 }));
        Assert.That(ReceiverSum.Apply(onEdges, edges).data<double>().ToArray(), Is.EqualTo(new double[] { 110, 0, 1 }));
        Assert.That(edges.Receivers.data<long>().ToArray(), Is.EqualTo(new long[] { 0, 0, 2 }));
        Assert.That(edges.ReverseEdges!.data<long>().ToArray(), Is.EqualTo(new long[] { 2, 1, 0 }));
    }

    [Test]
    public void Arrays_that_describe_no_edges_are_refused()
    {
        Assert.That(() => new EdgeList([0, 1], [0, 0]), Throws.ArgumentException);
        Assert.That(() => new EdgeList([0, 2, 1, 2], [0, 1]), Throws.ArgumentException);
        Assert.That(() => new EdgeList([0, 1, 2], [0, 2]), Throws.ArgumentException);
        Assert.That(() => new EdgeList([0, 1, 2], [1, 0], [1]), Throws.ArgumentException);
    }
}
