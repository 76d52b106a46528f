using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>
/// Neighbour lists of frames that stay as they are, as those of a training set do from epoch to epoch: each is made when first asked for, and
/// kept while all that are kept fit a bound. Those that no longer do are made each time. What was asked for in turn is asked for in turn
/// again, so nothing is ever given up for another. Any number of threads may ask.
/// </summary>
/// <param name="frames">How many there are.</param>
/// <param name="cutoff">A; infinite: every pair.</param>
/// <param name="mostBytes">The bound.</param>
internal sealed class KeptLists(int frames, double cutoff, long mostBytes)
{
    private readonly NeighborList?[] kept = new NeighborList?[frames];
    private long room = mostBytes;
    private long built;

    /// <summary>A 64th of the memory that the process may use, of a run: many runs may share a machine.</summary>
    public static long Share => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 64;

    /// <summary>A</summary>
    public double Cutoff => cutoff;

    /// <summary>Lists made so far.</summary>
    public long Built => Interlocked.Read(ref built);

    /// <param name="index">Of the frame, below the number of frames.</param>
    /// <param name="frame">The same one whenever the index is.</param>
    /// <exception cref="InputException">Atoms or a cell that allow no neighbour list.</exception>
    public NeighborList Of(int index, Frame frame)
    {
        if (Volatile.Read(ref kept[index]) is { } known) return known;
        NeighborList list = FrameNeighbors.Of(frame, cutoff);
        Interlocked.Increment(ref built);
        if (Interlocked.Read(ref room) <= 0) return list;
        // The reverse edges too: they are asked for whenever the list is.
        long bytes = sizeof(int) * (list.Atoms + 1 + (frame.IsPeriodic ? 5L : 2L) * list.Edges);
        if (Interlocked.Add(ref room, -bytes) >= 0)
        {
            list = list.Keep();
            if (Interlocked.CompareExchange(ref kept[index], list, null) is null) return list;
        }
        Interlocked.Add(ref room, bytes);
        return list;
    }
}
