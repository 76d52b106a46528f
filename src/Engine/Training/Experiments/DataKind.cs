using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>What models are trained on: how a store of it is recognised, made, and described. The same object for all families that share it.</summary>
public abstract class DataKind
{
    /// <summary>What data sizes count: molecules, frames.</summary>
    public abstract string DocumentName { get; }

    /// <summary>Whether the folder holds a complete store of this kind.</summary>
    public abstract bool Holds(string folder);

    /// <summary>What a source says that only this kind of data can use: key and whether it is given. The first is the key of the files.</summary>
    public abstract IReadOnlyList<(string Key, bool Given)> Particulars(DataSource source);

    /// <summary>Whether a source names files of this kind.</summary>
    public bool HasFiles(DataSource source) => Particulars(source)[0].Given;

    /// <summary>Where the data come from, for people: files, or what comes with the program.</summary>
    public abstract string NameOf(DataSource source);

    /// <summary>The source for an experiment that says how much it trains on.</summary>
    public virtual DataSource For(DataSource source, DataSpec data) => source;

    /// <exception cref="InputException">A source that no store can be made of.</exception>
    public virtual void Check(DataSource source)
    {
    }

    /// <summary>Makes a store of a source's files or, without files, of what comes with the program; a complete one of the same is taken as it is.</summary>
    /// <param name="source">Its <see cref="DataSource.Store"/> is not looked at.</param>
    /// <param name="folder">Of the store.</param>
    /// <param name="observer">Told how it goes.</param>
    /// <param name="stop">Leaves no half store.</param>
    /// <exception cref="InputException">The store there is of other data, or cannot be made.</exception>
    public abstract DataFacts Prepare(DataSource source, string folder, DataObserver observer, CancellationToken stop = default);

    /// <summary>Checks a prepared store against what a source says of it.</summary>
    /// <exception cref="InputException">A source that says something else.</exception>
    public virtual void Agree(DataSource source, string folder)
    {
    }

    /// <summary>What reports say of a store.</summary>
    /// <exception cref="InputException">No such store.</exception>
    public abstract DataFacts Facts(string folder);

    /// <summary>The data section with the store's identity filled in.</summary>
    /// <exception cref="InputException">No such store.</exception>
    public abstract DataSpec Describe(DataSpec data);
}

/// <summary>Where data come from: a prepared store, files to prepare, or neither: what comes with the program.</summary>
public sealed record DataSource
{
    /// <summary>Folder of a prepared store.</summary>
    public string? Store { get; init; }

    /// <summary>Files of molecules to prepare.</summary>
    public IReadOnlyList<string> Molecules { get; init; } = [];

    /// <summary>What molecules are prepared as; null: as the experiment says, the tokenizer, else SELFIES.</summary>
    public Representation? Representation { get; init; }

    /// <summary>Grammar of the molecules' SELFIES; null: of the experiment, the tokenizer, else 1.0.4.</summary>
    public SelfiesGrammar? Grammar { get; init; }

    /// <summary>How many bonds atoms may make; null: as the tokenizer states, else what the grammar has.</summary>
    public BondConstraints? Constraints { get; init; }

    /// <summary>Write every molecule one way, whatever the input has; null: as the tokenizer states, else as given.</summary>
    public bool? Canonical { get; init; }

    /// <summary>By what molecules are split, ordered and found to be copies; null: those of files by molecule, those of the virtual library by text.</summary>
    public SplitKind? Split { get; init; }

    /// <summary>A tokenizer.json; null: the corpus's own symbols.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Molecules to take from files, or to draw from the virtual library; null: all, or as many as the experiment needs.</summary>
    public long? Limit { get; init; }

    /// <summary>Longer molecules are refused; [CLS] and [SEP] included.</summary>
    public int MaximumTokens { get; init; } = 512;

    /// <summary>Files of labelled frames to prepare.</summary>
    public IReadOnlyList<string> Frames { get; init; } = [];

    /// <summary>Unit of the frames' energies, where the files do not say it.</summary>
    public EnergyUnit? Units { get; init; }

    /// <summary>Decides split and order.</summary>
    public long Seed { get; init; }
}

/// <summary>Who wants to know how a preparation goes on.</summary>
public sealed record DataObserver
{
    public IProgress<PreparationProgress>? Molecules { get; init; }

    public Action<FramePreparationProgress>? Frames { get; init; }
}

/// <summary>What reports say of a store.</summary>
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
