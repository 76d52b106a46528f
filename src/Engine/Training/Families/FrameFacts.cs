using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Families;

/// <summary>What the report says of a frame store.</summary>
public static class FrameFacts
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
