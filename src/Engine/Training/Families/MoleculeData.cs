using ChemScale.Engine.Chemistry.Library;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Families;

/// <summary>Molecules as token stores; those that come with the program are the virtual library's, which are synthetic.</summary>
internal sealed class MoleculeData : DataKind
{
    // Room for the validation molecules and for duplicates.
    private const long DefaultMolecules = 10_000, LeastMolecules = 2000;

    public static MoleculeData Instance { get; } = new();

    public override string DocumentName => "molecules";

    public override bool Holds(string folder) => TokenStore.Exists(folder);

    public override IReadOnlyList<(string Key, bool Given)> Particulars(DataSource source) =>
        [("source.molecules", source.Molecules.Count > 0), ("source.representation", source.Representation is not null), ("source.grammar", source.Grammar is not null),
            ("source.constraints", source.Constraints is not null), ("source.canonical", source.Canonical is not null), ("source.split", source.Split is not null),
            ("source.tokenizer", source.Tokenizer is not null)];

    public override string NameOf(DataSource source) =>
        source.Molecules.Count == 0 ? $"{source.Limit ?? DefaultMolecules:N0} molecules of the virtual library (synthetic)" : string.Join(", ", source.Molecules);

    public override DataSource For(DataSource source, DataSpec data) => source with
    {
        Representation = source.Representation ?? data.Representation,
        Grammar = source.Grammar ?? ((source.Representation ?? data.Representation) == Representation.Smiles ? null : data.Grammar),
        Limit = source.Limit ?? (source.Molecules.Count == 0 ? Math.Max(LeastMolecules, 2 * (data.Subset ?? DefaultMolecules)) : null),
    };

    public override void Check(DataSource source)
    {
        if (source.Limit < 10) throw new InputException("source.limit", $"{source.Limit}", "10 molecules or more");
    }

    public override DataFacts Prepare(DataSource source, string folder, DataObserver observer, CancellationToken stop = default)
    {
        bool library = source.Molecules.Count == 0;
        PreparationReport? report = MoleculeStores.Ensure(new PreparationOptions
        {
            Files = source.Molecules,
            Source = library ? MoleculeStores.VirtualLibrary(source.Limit ?? DefaultMolecules) : null,
            Limit = library ? null : source.Limit,
            Output = folder,
            Representation = source.Representation,
            Grammar = source.Tokenizer is null ? source.Grammar : null,
            Constraints = source.Constraints,
            Canonical = source.Canonical == true,
            Split = source.Split,
            TokenizerFile = source.Tokenizer,
            ValidationFraction = 0.1,
            MaximumTokens = source.MaximumTokens,
            Seed = source.Seed,
        }, observer.Molecules, stop);
        return StoreFacts.Of(folder, report);
    }

    public override void Agree(DataSource source, string folder)
    {
        if (source.Representation is null && source.Grammar is null && source.Constraints is null) return;
        using TokenStore store = TokenStore.Open(folder);
        if (source.Representation is { } representation && store.Manifest.Representation != representation)
            throw new InputException("source.representation", Scalars.Format(representation), $"{Scalars.Format(store.Manifest.Representation)}, as in {folder}",
                "a prepared store has its representation");
        if (store.Manifest.Representation == Representation.Smiles && (source.Grammar is not null || source.Constraints is not null))
            throw new InputException(source.Grammar is not null ? "source.grammar" : "source.constraints", "given", $"none: {folder} holds SMILES");
        if (source.Constraints is { } constraints && !constraints.Equals(store.Tokenizer.Constraints))
            throw new InputException("source.constraints", $"{constraints}", $"{store.Tokenizer.Constraints}, as in {folder}", "a prepared store has its constraints");
        if (source.Grammar is { } grammar && store.Manifest.Grammar != grammar)
            throw new InputException("source.grammar", grammar.Name(), $"{store.Manifest.Grammar.Name()}, as in {folder}", "a prepared store has its grammar");
    }

    public override DataFacts Facts(string folder) => StoreFacts.Of(folder, null);

    public override DataSpec Describe(DataSpec data)
    {
        using TokenStore store = TokenStore.Open(data.Store);
        bool smiles = store.Manifest.Representation == Representation.Smiles;
        if (data.Representation is { } said && said != store.Manifest.Representation)
            throw new InputException("data.representation", Scalars.Format(said), $"{Scalars.Format(store.Manifest.Representation)}, as in {data.Store}",
                "each has a store of its own");
        return data with
        {
            Fingerprint = store.Manifest.Fingerprint,
            Representation = smiles ? Representation.Smiles : null,
            Grammar = smiles ? null : store.Manifest.Grammar,
        };
    }

    /// <summary>The store of an experiment.</summary>
    /// <exception cref="InputException">There is none, or it is of another kind.</exception>
    public static TokenStore Open(Experiment experiment, CancellationToken stop = default)
    {
        string folder = experiment.Data.Store;
        if (folder == DataSpec.Virtual) throw new InputException("data.store", folder, "the folder of a prepared store", Remedy.PrepareMolecules);
        if (!TokenStore.Exists(folder) && FrameData.Instance.Holds(folder))
            throw new InputException(folder, "a frame store", "a token store", $"language models train on molecules: {Remedy.PrepareMolecules}");
        return TokenStore.Open(folder, stop);
    }
}

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
        if (options.Representation is { } representation && store.Manifest.Representation != representation)
            throw new InputException(options.Output, $"holds {store.Manifest.NotationName}", representation.ToString().ToUpperInvariant(), "choose another folder");
        if (options.Grammar is { } grammar && (store.Manifest.Representation == Representation.Smiles || store.Manifest.Grammar != grammar))
            throw new InputException(options.Output, $"holds {store.Manifest.NotationName}", grammar.Name(), "choose another folder");
        if (options.Constraints is { } constraints && !constraints.Equals(store.Tokenizer.Constraints))
            throw new InputException(options.Output, $"holds SELFIES with constraints {store.Tokenizer.Constraints}", $"{constraints}", "choose another folder");
        if (options.Canonical && !store.Tokenizer.Notation.Canonical)
            throw new InputException(options.Output, "holds molecules as they were given", "molecules written one way each", "choose another folder");
        if (options.Split is { } split && store.Manifest.Split.Kind != split)
            throw new InputException(options.Output, $"is split by {Scalars.Format(store.Manifest.Split.Kind)}", $"by {Scalars.Format(split)}", "choose another folder");
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
