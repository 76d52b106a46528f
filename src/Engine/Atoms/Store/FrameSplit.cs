using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>
/// One side of a frame store, or its first frames. They stand in the order of their hash keys: every prefix is an unbiased sample of the
/// whole, and a smaller one is inside a larger one. Reading from many threads is safe.
/// </summary>
public sealed class FrameSplit
{
    private readonly string name;
    private readonly FrameSplitFiles files;

    internal FrameSplit(string name, FrameSplitFiles files, long count)
    {
        this.name = name;
        this.files = files;
        Count = count;
    }

    /// <summary>Frames.</summary>
    public long Count { get; }

    /// <summary>Atoms of all of them.</summary>
    public long Atoms => files.Offsets[Count];

    /// <summary>A copy of frame <paramref name="index"/>.</summary>
    /// <exception cref="InputException">The offsets in the file make no sense.</exception>
    public Frame this[long index]
    {
        get
        {
            (long start, int atoms) = Range(index);
            return files.Records[index].ToFrame(
                files.Elements.Slice(start, atoms),
                files.Positions.Slice(3 * start, 3 * atoms),
                files.Forces.Slice(3 * start, 3 * atoms),
                files.ConfigTypes,
                $"{files.Folder}: {name}[{index}]");
        }
    }

    /// <summary>How many atoms frame <paramref name="index"/> has, without reading it.</summary>
    public int AtomsOf(long index) => Range(index).Atoms;

    /// <summary>The first <paramref name="frames"/> frames.</summary>
    /// <exception cref="InputException">More than there are.</exception>
    public FrameSplit Subset(long frames) => frames >= 1 && frames <= Count
        ? new FrameSplit(name, files, frames)
        : throw new InputException($"{files.Folder}: {name} subset", $"{frames} frames", $"1 to {Count}, as many as the store holds");

    /// <summary>Every frame in turn.</summary>
    public IEnumerable<Frame> Frames()
    {
        for (long i = 0; i < Count; i++) yield return this[i];
    }

    private (long Start, int Atoms) Range(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        long start = files.Offsets[index], end = files.Offsets[index + 1];
        return start >= 0 && end > start && end <= files.Elements.Count && end - start <= int.MaxValue / 3
            ? (start, (int)(end - start))
            : throw new InputException(
                Path.Combine(files.Folder, FrameStoreLayout.Offsets(name)),
                $"frame {index} from atom {start} to {end}",
                $"rising offsets up to {files.Elements.Count}",
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
