namespace ChemScale.Engine.Tokens.Packing;

/// <summary>What <see cref="BatchOptions.Size"/> counts.</summary>
public enum BatchUnit
{
    /// <summary>Molecules, as in the paper.</summary>
    Molecules,

    /// <summary>Tokens: as many whole molecules as fit.</summary>
    Tokens,
}

/// <summary>How molecules are put into batches.</summary>
public sealed record BatchOptions
{
    public BatchUnit Unit { get; init; } = BatchUnit.Molecules;

    /// <summary>Molecules of a batch, or its most tokens.</summary>
    public int Size { get; init; } = 8;

    /// <summary>Decides the order of every epoch.</summary>
    public long Seed { get; init; }

    /// <summary>Another order each epoch; false: the order of the store.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Positions of the model: the longest molecule it can take, in tokens.</summary>
    public int Positions { get; init; } = 2048;
}
