using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// At most so many items of a stream of unknown length: all of them while they fit, then those whose number hashes low, half as many
/// each time it fills up. The same stream always leaves the same items, and no rhythm of the stream (three components, equal molecules)
/// shows in them.
/// </summary>
public sealed class ThinnedSample<T>(int capacity)
{
    private readonly List<(ulong Key, T Item)> _kept = [];
    private ulong _limit = ulong.MaxValue;

    /// <summary>Items added.</summary>
    public long Seen { get; private set; }

    public int Count => _kept.Count;

    /// <summary>Nothing was left out.</summary>
    public bool IsComplete => Seen == Count;

    /// <summary>In the order of the stream.</summary>
    public IEnumerable<T> Items => _kept.Select(kept => kept.Item);

    public void Add(T item)
    {
        ulong key = SplitMix64.Mix(((ulong)Seen++ + 1) * SplitMix64.Step);
        if (key > _limit) return;
        _kept.Add((key, item));
        while (_kept.Count > capacity)
        {
            _limit /= 2;
            _kept.RemoveAll(kept => kept.Key > _limit);
        }
    }
}
