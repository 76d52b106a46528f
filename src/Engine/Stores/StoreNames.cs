namespace ChemScale.Engine.Stores;

/// <summary>What a kind of store consists of.</summary>
/// <param name="Kind">As a message calls it.</param>
/// <param name="Manifest">The file written last, whose presence says that the store is complete.</param>
/// <param name="Data">All other files.</param>
/// <param name="Hint">How one is made.</param>
internal sealed record StoreNames(string Kind, string Manifest, IReadOnlyList<string> Data, string Hint = Remedy.PrepareMolecules)
{
    /// <summary>What to do about a file that is not what was written.</summary>
    public const string Damaged = "the file is damaged: prepare the data again";
}
