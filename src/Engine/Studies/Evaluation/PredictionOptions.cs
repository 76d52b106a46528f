using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Which frames a trained force field is given, and how.</summary>
public record PredictionOptions
{
    /// <summary>Run directory of a force field.</summary>
    public required string Run { get; init; }

    /// <summary>Frames in any known format, read one after another.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>A file of frames for predictions, a folder for an evaluation.</summary>
    public required string Output { get; init; }

    /// <summary>What the files do not say themselves.</summary>
    public FrameReadOptions Read { get; init; } = new();

    /// <summary>Null: that of the training.</summary>
    public Precision? Precision { get; init; }

    /// <summary>Frames are evaluated together up to this many atoms.</summary>
    public int BatchAtoms { get; init; } = FramePrediction.BatchAtoms;

    /// <summary>CPU threads; 0: the library's choice.</summary>
    public int Threads { get; init; }

    /// <summary>Stop after this many frames; null: all.</summary>
    public long? Limit { get; init; }

    /// <exception cref="InputException">Options out of range.</exception>
    public virtual void Validate()
    {
        if (Files.Count == 0) throw new InputException("frames", "no files", "at least one");
        if (BatchAtoms < 1) throw new InputException("batch atoms", $"{BatchAtoms}", "1 or more");
        if (Threads < 0) throw new InputException("threads", $"{Threads}", "1 or more");
        if (Limit < 1) throw new InputException("limit", $"{Limit}", "1 or more");
    }
}
