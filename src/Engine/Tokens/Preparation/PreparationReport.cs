using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>What a preparation did.</summary>
public sealed record PreparationReport
{
    /// <summary>What is in the store.</summary>
    public required StoreManifest Store { get; init; }

    /// <summary>Lines read, blank ones and headers included.</summary>
    public required long Lines { get; init; }

    /// <summary>Molecules taken, before duplicates were dropped.</summary>
    public required long Taken { get; init; }

    /// <summary>Refused lines by reason, the most frequent first.</summary>
    public required IReadOnlyList<RefusedLines> Refused { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>Molecules in the store.</summary>
    public long Molecules => Store.Train.Documents + Store.Validation.Documents;

    /// <summary>Ids in the store, [CLS] and [SEP] included.</summary>
    public long Tokens => Store.Train.Tokens + Store.Validation.Tokens;

    public long RefusedCount => Refused.Sum(lines => lines.Count);

    /// <summary>Ids of the longest molecule.</summary>
    public int Longest => Math.Max(Store.Train.Longest, Store.Validation.Longest);

    /// <summary>Molecules taken a second, everything included.</summary>
    public double MoleculesPerSecond => Taken / Elapsed.TotalSeconds;
}
