using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

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
