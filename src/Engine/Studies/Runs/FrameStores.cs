using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Runs;

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
        using FrameStore store = FrameStore.Open(options.Output);
        string[] wanted = [.. options.Files.Concat(options.ValidationFiles).Select(f => Path.GetFileName(f))];
        string[] found = [.. store.Manifest.Sources.Select(s => s.File)];
        if (!wanted.SequenceEqual(found))
            throw new InputException(options.Output, $"holds {string.Join(", ", found)}", string.Join(", ", wanted), "choose another folder");
        return null;
    }

    /// <summary>The data section with the store's identity filled in.</summary>
    /// <exception cref="InputException">No frame store.</exception>
    public static DataSpec Describe(DataSpec data)
    {
        using FrameStore store = FrameStore.Open(data.Store);
        return data with { Fingerprint = store.Manifest.Fingerprint, Grammar = null };
    }
}
