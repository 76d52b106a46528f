using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Families;

/// <summary>Labelled frames of atoms as frame stores; the program comes with some.</summary>
internal sealed class FrameData : DataKind
{
    public static FrameData Instance { get; } = new();

    public override string DocumentName => "frames";

    public override bool Holds(string folder) => FrameStore.Exists(folder);

    public override IReadOnlyList<(string Key, bool Given)> Particulars(DataSource source) =>
        [("source.frames", source.Frames.Count > 0), ("source.units", source.Units is not null)];

    public override string NameOf(DataSource source) => source.Frames.Count == 0 ? "the frames that come with the program" : string.Join(", ", source.Frames);

    public override void Check(DataSource source)
    {
        if (source.Units is { } unit && source.Frames.Count == 0)
            throw new InputException("source.units", $"{unit}, and no files to read", "nothing, or files in `source.frames`", "a prepared store is in eV");
    }

    public override DataFacts Prepare(DataSource source, string folder, DataObserver observer, CancellationToken stop = default)
    {
        var options = new FramePreparation { Files = source.Frames, Output = folder, Energy = source.Units, ValidationFraction = 0.1, Seed = source.Seed };
        return FrameFacts.Of(folder, source.Frames.Count == 0
            ? FrameStores.EnsureEmbedded(options, observer.Frames, stop)
            : FrameStores.Ensure(options, observer.Frames, stop));
    }

    public override DataFacts Facts(string folder) => FrameFacts.Of(folder, null);

    public override DataSpec Describe(DataSpec data) => FrameStores.Describe(data);

    /// <summary>The store of an experiment.</summary>
    /// <exception cref="InputException">There is none, or it is of another kind.</exception>
    public static FrameStore Open(Experiment experiment, CancellationToken stop = default)
    {
        string folder = experiment.Data.Store;
        if (folder == DataSpec.Virtual) throw new InputException("data.store", folder, "the folder of a frame store", Remedy.PrepareFrames);
        if (!FrameStore.Exists(folder) && MoleculeData.Instance.Holds(folder))
            throw new InputException(folder, "a token store", "a frame store", $"force fields train on frames: {Remedy.PrepareFrames}");
        return FrameStore.Open(folder, stop);
    }
}

/// <summary>What the report says of a frame store.</summary>
internal static class FrameFacts
{
    /// <param name="folder">The store.</param>
    /// <param name="report">Of the preparation that has just made it; null: an earlier one did.</param>
    public static DataFacts Of(string folder, FramePreparationReport? report)
    {
        using FrameStore store = FrameStore.Open(folder);
        FrameStoreManifest manifest = store.Manifest;
        FrameStatistics s = manifest.Statistics;
        long read = manifest.Sources.Sum(f => f.Frames);
        return new DataFacts
        {
            Source = FrameStores.IsEmbedded(store) ? EmbeddedFrames.Description : string.Join(", ", manifest.Sources.Select(f => f.File)),
            Synthetic = false,
            Read = read,
            Train = manifest.Train.Frames,
            Validation = manifest.Validation.Frames,
            Refused = report?.Unlabelled ?? 0,
            Facts = new Dictionary<string, string>
            {
                ["Files"] = string.Join(", ", manifest.Sources.Select(f => f.File)),
                ["Elements"] = string.Join(", ", s.Elements.Select(Elements.Symbol)),
                ["Atoms per frame"] = Text((double)manifest.Train.Atoms / manifest.Train.Frames, "F1"),
                ["Neighbours per atom"] = $"{Text(s.NeighborsPerAtom, "F1")} within {Text(s.NeighborCutoff, "G3")} A",
                ["Energy, eV per atom"] = Text(s.MeanEnergyPerAtom, "F4"),
                ["Energy left by the elements' reference energies, eV rms"] = Text(s.EnergyResidual, "F4"),
                ["Forces, eV/A rms"] = Text(s.ForceRms, "F4"),
                ["Duplicates dropped"] = Text(manifest.Duplicates, "N0"),
                ["Split"] = manifest.Split,
            },
        };
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>Frame stores that studies and trainings make for themselves.</summary>
internal static class FrameStores
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

    /// <summary>Atoms, and directed edges within the model's cutoff, of a training frame on average.</summary>
    /// <exception cref="InputException">No frame store.</exception>
    public static (double Atoms, double Pairs) MeanSize(ForceFieldConfig config, string folder)
    {
        using FrameStore store = FrameStore.Open(folder);
        double atoms = store.Train.Atoms / (double)Math.Max(1, store.Train.Count);
        if (store.Statistics.NeighborCutoff == config.Cutoff) return (atoms, atoms * store.Statistics.NeighborsPerAtom);
        long counted = Math.Min(200, store.Train.Count), edges = 0, of = 0;
        for (long i = 0; i < counted; i++)
        {
            Frame frame = store.Train[i];
            using NeighborList list = NeighborLists.Build(frame, config.Cutoff);
            edges += list.Edges;
            of += frame.Atoms;
        }
        return (atoms, atoms * edges / Math.Max(1, of));
    }

    /// <summary>The data section with the store's identity filled in.</summary>
    /// <exception cref="InputException">No frame store.</exception>
    public static DataSpec Describe(DataSpec data)
    {
        using FrameStore store = FrameStore.Open(data.Store);
        return data with { Fingerprint = store.Manifest.Fingerprint, Grammar = null };
    }
}
