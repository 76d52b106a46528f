using ChemScale.Engine.Atoms.Store;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>What a preparation did.</summary>
public sealed record FramePreparationReport
{
    /// <summary>What is in the store.</summary>
    public required FrameStoreManifest Store { get; init; }

    /// <summary>Frames read.</summary>
    public required long Read { get; init; }

    /// <summary>Copies left out.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Of these, copies of validation frames among the training frames.</summary>
    public required long Shared { get; init; }

    /// <summary>Left out for want of a label.</summary>
    public required long Unlabelled { get; init; }

    /// <summary>On neither side of the split file.</summary>
    public required long Unassigned { get; init; }

    public required TimeSpan Elapsed { get; init; }
}
