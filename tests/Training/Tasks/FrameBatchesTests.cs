using ChemScale.Engine.Training.Tasks;
using NUnit.Framework;

namespace ChemScale.Tests.Training.Tasks;

public class FrameBatchesTests
{
    [TestCase(10, 3, 4)]
    [TestCase(9, 3, 3)]
    [TestCase(2, 5, 1)]
    public void Batches_of_a_size_hold_every_frame_once(int frames, int size, int count)
    {
        var batches = new FrameBatches(frames, size, seed: 1);
        Assert.That(batches.Count, Is.EqualTo(count));
        for (long epoch = 0; epoch < 3; epoch++) Assert.That(All(batches, epoch).Order(), Is.EqualTo(Enumerable.Range(0, frames)));
        Assert.That(batches.Of(0, 0), Has.Count.EqualTo(Math.Min(size, frames)));
    }

    [Test]
    public void Batches_to_a_budget_keep_it_in_every_epoch_and_hold_every_frame_once()
    {
        var random = new Random(5);
        long[] costs = [.. Enumerable.Range(0, 500).Select(_ => (long)random.Next(2, 60))];
        var batches = new FrameBatches(costs, budget: 200, seed: 3);
        Expect.AtMost(batches.Count, (costs.Sum() + 199) / 200 + 2, "hardly more than a perfect packing");
        for (long epoch = 0; epoch < 4; epoch++)
        {
            Assert.That(All(batches, epoch).Order(), Is.EqualTo(Enumerable.Range(0, 500)));
            for (int b = 0; b < batches.Count; b++) Expect.AtMost(batches.Of(epoch, b).Sum(f => costs[f]), 200);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Epochs_differ_and_any_batch_can_be_named_again(bool budget)
    {
        FrameBatches Make() => budget ? new FrameBatches([.. Enumerable.Repeat(4L, 60)], 20, 7) : new FrameBatches(60, 5, 7);
        FrameBatches first = Make();
        int[][] seen = [.. Enumerable.Range(0, 2).SelectMany(e => Enumerable.Range(0, first.Count).Select(b => first.Of(e, b).ToArray()))];
        Assert.That(seen[0], Is.Not.EqualTo(seen[first.Count]));
        Assert.That(Make().Of(1, 3), Is.EqualTo(seen[first.Count + 3]), "without those before it");
        Assert.That(All(first, 0), Is.Not.EqualTo(All(first, 0).Order()));
    }

    private static IEnumerable<int> All(FrameBatches batches, long epoch) => Enumerable.Range(0, batches.Count).SelectMany(b => batches.Of(epoch, b));
}
