using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>
/// One side of a frame store, or its first frames. They stand in the order of their hash keys: every prefix is an unbiased sample of the
/// whole, and a smaller one is inside a larger one. Reading from many threads is safe.
/// </summary>
public sealed class FrameSplit
{
    private readonly string _name;
    private readonly FrameSplitFiles _files;

    internal FrameSplit(string name, FrameSplitFiles files, long count)
    {
        _name = name;
        _files = files;
        Count = count;
    }

    /// <summary>Frames.</summary>
    public long Count { get; }

    /// <summary>Atoms of all of them.</summary>
    public long Atoms => _files.Offsets[Count];

    /// <summary>A copy of frame <paramref name="index"/>.</summary>
    /// <exception cref="InputException">The offsets in the file make no sense.</exception>
    public Frame this[long index]
    {
        get
        {
            (long start, int atoms) = Range(index);
            return _files.Records[index].ToFrame(
                _files.Elements.Slice(start, atoms),
                _files.Positions.Slice(3 * start, 3 * atoms),
                _files.Forces.Slice(3 * start, 3 * atoms),
                _files.ConfigTypes,
                $"{_files.Folder}: {_name}[{index}]");
        }
    }

    /// <summary>How many atoms frame <paramref name="index"/> has, without reading it.</summary>
    public int AtomsOf(long index) => Range(index).Atoms;

    /// <summary>The first <paramref name="frames"/> frames.</summary>
    /// <exception cref="InputException">More than there are.</exception>
    public FrameSplit Subset(long frames) => frames >= 1 && frames <= Count
        ? new FrameSplit(_name, _files, frames)
        : throw new InputException($"{_files.Folder}: {_name} subset", $"{frames} frames", $"1 to {Count}, as many as the store holds");

    /// <summary>Every frame in turn.</summary>
    public IEnumerable<Frame> Frames()
    {
        for (long i = 0; i < Count; i++) yield return this[i];
    }

    private (long Start, int Atoms) Range(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        long start = _files.Offsets[index], end = _files.Offsets[index + 1];
        return start >= 0 && end > start && end <= _files.Elements.Count && end - start <= int.MaxValue / 3
            ? (start, (int)(end - start))
            : throw new InputException(
                Path.Combine(_files.Folder, FrameStoreLayout.Offsets(_name)),
                $"frame {index} from atom {start} to {end}",
                $"rising offsets up to {_files.Elements.Count}",
                StoreNames.Damaged);
    }
}

/// <summary>The mapped files of one side.</summary>
internal sealed class FrameSplitFiles : IDisposable
{
    public FrameSplitFiles(string folder, string split, FrameCounts counts, IReadOnlyList<string> configTypes)
    {
        Folder = folder;
        ConfigTypes = configTypes;
        Records = new(Path.Combine(folder, FrameStoreLayout.Records(split)), counts.Frames);
        Offsets = new(Path.Combine(folder, FrameStoreLayout.Offsets(split)), counts.Frames + 1);
        Elements = new(Path.Combine(folder, FrameStoreLayout.Elements(split)), counts.Atoms);
        Positions = new(Path.Combine(folder, FrameStoreLayout.Positions(split)), 3 * counts.Atoms);
        Forces = new(Path.Combine(folder, FrameStoreLayout.Forces(split)), 3 * counts.Atoms);
    }

    public string Folder { get; }

    public IReadOnlyList<string> ConfigTypes { get; }

    public MappedArray<FrameRecord> Records { get; }

    public MappedArray<long> Offsets { get; }

    public MappedArray<byte> Elements { get; }

    public MappedArray<double> Positions { get; }

    public MappedArray<double> Forces { get; }

    public void Dispose()
    {
        Records.Dispose();
        Offsets.Dispose();
        Elements.Dispose();
        Positions.Dispose();
        Forces.Dispose();
    }
}
