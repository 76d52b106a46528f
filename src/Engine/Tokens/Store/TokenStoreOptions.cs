namespace ChemScale.Engine.Tokens.Store;

/// <summary>How a store is written.</summary>
public sealed record TokenStoreOptions
{
    /// <summary>Which molecules are held out.</summary>
    public SplitRule Split { get; init; } = new(0.02, 0);

    /// <summary>Keep every copy of a molecule instead of one.</summary>
    public bool KeepDuplicates { get; init; }

    /// <summary>Replace a store that is there, once the new one is complete.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Where the molecules come from, in words.</summary>
    public string Source { get; init; } = "";

    /// <summary>True where the molecules were enumerated, not found.</summary>
    public bool Synthetic { get; init; }

    /// <summary>Further options to record, by name.</summary>
    public IReadOnlyDictionary<string, string> Record { get; init; } = new Dictionary<string, string>();
}
