namespace ChemScale.Engine.Studies.Summary;

/// <summary>The data of a study part.</summary>
public sealed record DataFacts
{
    /// <summary>File or library the data come from.</summary>
    public required string Source { get; init; }

    /// <summary>True for the virtual library: said wherever its numbers appear.</summary>
    public required bool Synthetic { get; init; }

    /// <summary>Molecules or frames read, kept for training, kept for validation, refused.</summary>
    public required long Read { get; init; }

    public required long Train { get; init; }

    public required long Validation { get; init; }

    public required long Refused { get; init; }

    /// <summary>Refused lines by reason.</summary>
    public IReadOnlyDictionary<string, long> RefusedByReason { get; init; } = new Dictionary<string, long>();

    /// <summary>Free facts to list: vocabulary size, grammar, mean tokens per molecule, duplicates dropped.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();
}
