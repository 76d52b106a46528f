using ChemScale.Engine.Chemistry.Library;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Training.Families;

/// <summary>Token stores that studies and trainings make for themselves.</summary>
public static class MoleculeStores
{
    /// <summary>The virtual library as a source of molecules: synthetic, and labelled so in the store.</summary>
    public static IMoleculeSource VirtualLibrary(long count, ulong seed = 0) => new LibrarySource(new VirtualLibrary(seed), count);

    /// <summary>Prepares a store, unless the folder holds a complete one already.</summary>
    /// <returns>What was done; null where the store was there.</returns>
    /// <exception cref="InputException">The store there is of other molecules or another grammar, or cannot be made.</exception>
    public static PreparationReport? Ensure(PreparationOptions options, IProgress<PreparationProgress>? progress = null, CancellationToken stop = default)
    {
        if (!TokenStore.Exists(options.Output)) return MoleculePreparation.Run(options, progress, stop);
        using TokenStore store = TokenStore.Open(options.Output, stop);
        if (store.Manifest.Source != options.SourceName)
            throw new InputException(options.Output, $"holds {store.Manifest.Source}", options.SourceName, "choose another folder");
        if (options.Grammar is { } grammar && store.Manifest.Grammar != grammar)
            throw new InputException(options.Output, $"holds SELFIES {store.Manifest.Grammar.Name()}", grammar.Name(), "choose another folder");
        return null;
    }

    private sealed class LibrarySource(VirtualLibrary library, long count) : IMoleculeSource
    {
        public string Name => library.Description;

        public bool Synthetic => true;

        public long Count => count <= library.Count
            ? count
            : throw new InputException("virtual", $"{count:N0} molecules", $"at most {library.Count:N0}");

        public int MaximumCharacters => Chemistry.Library.VirtualLibrary.LongestSmiles;

        public int Write(long index, Span<char> molecule) => library.Write(index, molecule);
    }
}
