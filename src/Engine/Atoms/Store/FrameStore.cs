using System.Runtime.CompilerServices;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>
/// Frames on disk, memory-mapped, in eV and Angstrom: train and validation frames, their statistics and a manifest. Immutable; any
/// number of processes may read it.
/// </summary>
public sealed class FrameStore : IDisposable
{
    internal const string Damaged = "the file is damaged: prepare the frames again";

    private readonly FrameSplitFiles _train;
    private readonly FrameSplitFiles _validation;

    private FrameStore(string folder, FrameStoreManifest manifest)
    {
        Folder = folder;
        Manifest = manifest;
        _train = new FrameSplitFiles(folder, FrameStoreLayout.Train, manifest.Train, manifest.ConfigTypes);
        _validation = new FrameSplitFiles(folder, FrameStoreLayout.Validation, manifest.Validation, manifest.ConfigTypes);
        Train = new FrameSplit(FrameStoreLayout.Train, _train, manifest.Train.Frames);
        Validation = new FrameSplit(FrameStoreLayout.Validation, _validation, manifest.Validation.Frames);
    }

    public string Folder { get; }

    public FrameStoreManifest Manifest { get; }

    /// <summary>Of the training frames.</summary>
    public FrameStatistics Statistics => Manifest.Statistics;

    public FrameSplit Train { get; }

    /// <summary>The held-out frames: the same whatever part of <see cref="Train"/> is used.</summary>
    public FrameSplit Validation { get; }

    /// <summary>Opens a complete store. Names and sizes are checked here, the contents by <see cref="Verify"/>.</summary>
    /// <exception cref="InputException">No complete store, or files that contradict its manifest: the file and what is wrong.</exception>
    public static FrameStore Open(string folder)
    {
        string path = Path.Combine(folder, FrameStoreManifest.FileName);
        if (!Exists(folder))
        {
            throw new InputException(
                folder, $"no {FrameStoreManifest.FileName}", "a complete frame store", Remedy.PrepareFrames);
        }
        try
        {
            FrameStoreManifest manifest = FrameStoreManifest.Parse(File.ReadAllText(path), path);
            foreach (string name in FrameStoreLayout.Data)
            {
                StoredFile file = manifest.Files.FirstOrDefault(file => file.Name == name)
                    ?? throw new InputException($"{path}: files", $"no entry for {name}", "size and checksum");
                StoreFiles.CheckSize(folder, file, Damaged);
            }
            CheckCounts(manifest, FrameStoreLayout.Train, manifest.Train, path);
            CheckCounts(manifest, FrameStoreLayout.Validation, manifest.Validation, path);
            return new FrameStore(folder, manifest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(folder, "cannot be read", "a frame store", e.Message);
        }
    }

    /// <summary>True where the folder holds a store that was completed.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, FrameStoreManifest.FileName));

    /// <summary>Reads everything: checksums, rising offsets, elements.</summary>
    /// <exception cref="InputException">The first thing that is wrong.</exception>
    public void Verify()
    {
        foreach (StoredFile file in Manifest.Files) StoreFiles.CheckContents(Folder, file, Damaged);
        foreach (FrameSplit split in (FrameSplit[])[Train, Validation])
        {
            foreach (Frame frame in split.Frames())
                foreach (int number in frame.AtomicNumbers) Elements.Checked(number, frame.Place);
        }
    }

    public void Dispose()
    {
        _train.Dispose();
        _validation.Dispose();
    }

    private static void CheckCounts(FrameStoreManifest manifest, string split, FrameCounts counts, string path)
    {
        Check(FrameStoreLayout.Records(split), counts.Frames, Unsafe.SizeOf<FrameRecord>());
        Check(FrameStoreLayout.Offsets(split), counts.Frames + 1, sizeof(long));
        Check(FrameStoreLayout.Elements(split), counts.Atoms, sizeof(byte));
        Check(FrameStoreLayout.Positions(split), 3 * counts.Atoms, sizeof(double));
        Check(FrameStoreLayout.Forces(split), 3 * counts.Atoms, sizeof(double));

        void Check(string name, long values, int size)
        {
            long bytes = manifest.Files.First(file => file.Name == name).Bytes;
            if (bytes != values * size)
            {
                throw new InputException($"{path}: files", $"{name} of {bytes} bytes", $"{size} for each of {values} values");
            }
        }
    }
}
