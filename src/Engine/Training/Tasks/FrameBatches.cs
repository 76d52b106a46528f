using ChemScale.Engine.Tokens.Packing;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>
/// Which frames make which micro-batch: so many frames, or as many as fit a budget. Every epoch has the same number of batches and each
/// frame once, in an order of its own; any batch can be named without those before it.
/// </summary>
internal sealed class FrameBatches
{
    private readonly int frames;
    private readonly long seed;
    private readonly int size;
    private readonly long[]? costs;
    private long packedEpoch = -1;
    private int[][] packed = [];

    /// <summary>Batches of <paramref name="size"/> frames; the last of an epoch takes what is left.</summary>
    public FrameBatches(int frames, int size, long seed)
    {
        this.frames = frames;
        this.size = size;
        this.seed = seed;
        Count = (frames + size - 1) / size;
    }

    /// <summary>Batches whose costs add up to at most <paramref name="budget"/>; a single frame must not exceed it.</summary>
    public FrameBatches(long[] costs, long budget, long seed)
    {
        frames = costs.Length;
        this.costs = costs;
        this.seed = seed;
        // The greedy rule's loads depend on the costs alone, not on the order of equal ones: what fits once fits in every epoch.
        long total = costs.Sum();
        for (Count = (int)((total + budget - 1) / budget); Loads(Assign(0)).Max() > budget;) Count++;
    }

    /// <summary>In one epoch.</summary>
    public int Count { get; }

    /// <summary>Indices of the frames of a batch.</summary>
    public IReadOnlyList<int> Of(long epoch, int batch)
    {
        if (costs is null)
        {
            var order = new Permutation(frames, seed, epoch);
            long first = (long)batch * size;
            return [.. Enumerable.Range(0, (int)Math.Min(size, frames - first)).Select(i => (int)order[first + i])];
        }
        if (packedEpoch != epoch)
        {
            packed = Assign(epoch);
            packedEpoch = epoch;
        }
        return packed[(int)new Permutation(Count, ~seed, epoch)[batch]];
    }

    /// <summary>Largest first, each to the batch that is least full (Graham 1969); equal ones in the epoch's own order.</summary>
    private int[][] Assign(long epoch)
    {
        var order = new Permutation(frames, seed, epoch);
        IEnumerable<int> descending = Enumerable.Range(0, frames).Select(i => (int)order[i]).OrderByDescending(f => costs![f]);
        List<int>[] batches = [.. Enumerable.Range(0, Count).Select(_ => new List<int>())];
        var leastFull = new PriorityQueue<int, (long Load, int Batch)>(Enumerable.Range(0, Count).Select(b => (b, (0L, b))));
        foreach (int frame in descending)
        {
            leastFull.TryDequeue(out int batch, out (long Load, int Batch) state);
            batches[batch].Add(frame);
            leastFull.Enqueue(batch, (state.Load + costs![frame], batch));
        }
        return [.. batches.Select(b => b.ToArray())];
    }

    private IEnumerable<long> Loads(int[][] batches) => batches.Select(b => b.Sum(f => costs![f]));
}
