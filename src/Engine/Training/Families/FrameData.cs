using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
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
