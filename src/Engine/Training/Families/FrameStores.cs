using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Families;

/// <summary>Frame stores that studies and trainings make for themselves.</summary>
public static class FrameStores
{
    /// <summary>Prepares a store, unless the folder holds a complete one already.</summary>
    /// <returns>What was done; null where the store was there.</returns>
    /// <exception cref="InputException">The store there is of other files, or cannot be made.</exception>
    public static FramePreparationReport? Ensure(
        FramePreparation options, Action<FramePreparationProgress>? progress = null, CancellationToken stop = default)
    {
        if (!FrameStore.Exists(options.Output)) return FramePreparer.Run(options, progress, stop);
        using FrameStore store = FrameStore.Open(options.Output, stop);
        string[] wanted = [.. options.Files.Concat(options.ValidationFiles).Select(f => Path.GetFileName(f))];
        string[] found = [.. store.Manifest.Sources.Select(s => s.File)];
        if (!wanted.SequenceEqual(found))
            throw new InputException(options.Output, $"holds {string.Join(", ", found)}", string.Join(", ", wanted), "choose another folder");
        return null;
    }

    /// <summary>A store of the frames that come with the program, unless the folder holds one already.</summary>
    /// <inheritdoc cref="Ensure"/>
    public static FramePreparationReport? EnsureEmbedded(
        FramePreparation options, Action<FramePreparationProgress>? progress = null, CancellationToken stop = default)
    {
        string files = options.Output + "-files";
        try
        {
            return Ensure(options with { Files = EmbeddedFrames.ExtractTo(files), Energy = null }, progress, stop);
        }
        finally
        {
            if (Directory.Exists(files)) DiskStorage.Shared.DeleteDirectory(files);
        }
    }

    /// <summary>True for a store of the frames that come with the program.</summary>
    public static bool IsEmbedded(FrameStore store) =>
        store.Manifest.Sources.Select(s => Path.GetFileNameWithoutExtension(s.File)).SequenceEqual(EmbeddedFrames.Molecules);

    /// <summary>The model as the store's elements and neighbours want it.</summary>
    /// <exception cref="InputException">No frame store.</exception>
    public static ForceFieldConfig Fitted(ForceFieldConfig config, string folder, CancellationToken stop = default)
    {
        using FrameStore store = FrameStore.Open(folder, stop);
        FrameStatistics statistics = store.Statistics;
        return config.Fitted(statistics.Elements, statistics.NeighborCutoff == config.Cutoff ? statistics.NeighborsPerAtom : null);
    }

    /// <summary>The data section with the store's identity filled in.</summary>
    /// <exception cref="InputException">No frame store.</exception>
    public static DataSpec Describe(DataSpec data)
    {
        using FrameStore store = FrameStore.Open(data.Store);
        return data with { Fingerprint = store.Manifest.Fingerprint, Grammar = null };
    }
}
