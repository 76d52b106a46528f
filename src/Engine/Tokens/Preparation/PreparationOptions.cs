using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>What <see cref="MoleculePreparation"/> reads, how it treats it and where it writes.</summary>
public sealed record PreparationOptions
{
    /// <summary>
    /// .smi or .txt (first field of each line that is no comment) or .csv or .tsv (a column), each possibly gzipped; read one after another.
    /// </summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Instead of files.</summary>
    public IMoleculeSource? Source { get; init; }

    public MoleculeKind Kind { get; init; } = MoleculeKind.Smiles;

    /// <summary>Column of a .csv; null: the one whose name is, or alone holds, <c>smiles</c> (or <c>selfies</c>) in any case.</summary>
    public string? Column { get; init; }

    /// <summary>The store's folder.</summary>
    public required string Output { get; init; }

    /// <summary>What molecules are stored as; null: what the tokenizer file is for, else SELFIES.</summary>
    public Representation? Representation { get; init; }

    /// <summary>
    /// Write every molecule one way, whatever the input has, before it becomes SELFIES or SMILES tokens; false: as given. Both representations are of the
    /// same text then, so that losses a molecule can be compared.
    /// </summary>
    public bool Canonical { get; init; }

    /// <summary>Null: the grammar of the tokenizer file, else 1.0.4, ChemGPT's.</summary>
    public SelfiesGrammar? Grammar { get; init; }

    /// <summary>How many bonds atoms may make; null: as the tokenizer file states, else what the grammar has. Kept in the store's tokenizer.</summary>
    public BondConstraints? Constraints { get; init; }

    /// <summary>By what molecules are split, ordered and found to be copies; null: by molecule, and those of a source, which are written one way, by text.</summary>
    public SplitKind? Split { get; init; }

    /// <summary>A tokenizer.json; null: a vocabulary of the corpus's own symbols is built.</summary>
    public string? TokenizerFile { get; init; }

    /// <summary>Rarer symbols are left out of a vocabulary that is built. Copies of a molecule count.</summary>
    public long MinimumCount { get; init; } = 1;

    /// <summary>Stop after this many molecules were taken; null: read everything.</summary>
    public long? Limit { get; init; }

    /// <summary>Keep stereo marks of SMILES; false: strip them, as in ChemGPT's corpus. SELFIES stay as they are.</summary>
    public bool KeepStereo { get; init; }

    /// <summary>What to do with SMILES of several fragments. SELFIES stay as they are.</summary>
    public FragmentRule Fragments { get; init; } = FragmentRule.Largest;

    /// <summary>Share of molecules held out. One in fifty: 200 of 10^4, enough for a loss to 1 %, and little lost to training.</summary>
    public double ValidationFraction { get; init; } = 0.02;

    /// <summary>Decides the split and the order.</summary>
    public long Seed { get; init; }

    public bool KeepDuplicates { get; init; }

    public bool Overwrite { get; init; }

    /// <summary>Threads that encode.</summary>
    public int Threads { get; init; } = ProcessorBudget.Count;

    /// <summary>Longer molecules, [CLS] and [SEP] included, are refused: 512 as in ChemGPT's corpus.</summary>
    public int MaximumTokens { get; init; } = 512;

    /// <summary>Where the molecules come from, as the store's manifest says it.</summary>
    internal string SourceName => Source?.Name ?? string.Join(", ", Files.Select(Path.GetFileName));

    /// <summary>Makes each thread's encoder; null: by <see cref="Kind"/>.</summary>
    internal Func<IMoleculeEncoder>? Encoder { get; init; }
}

/// <summary>What to do with a SMILES of several fragments: a salt, a solvate, a mixture.</summary>
public enum FragmentRule
{
    /// <summary>Keep the one with most heavy atoms.</summary>
    Largest,

    /// <summary>Keep all; their dots become tokens.</summary>
    All,

    /// <summary>Refuse the line.</summary>
    Refuse,
}

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

    /// <summary>Molecules that were taken although what is stored of them decodes to another graph, or has unknown symbols, by reason. Duplicates count.</summary>
    public IReadOnlyList<RefusedLines> Changed { get; init; } = [];

    /// <summary>What the store shares with another one; null where none was asked for.</summary>
    public StoreLeakage? Leakage { get; init; }

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

/// <summary>Where a preparation stands.</summary>
/// <param name="Stage">What is being done, in words.</param>
/// <param name="Fraction">0 to 1 of the input; null where it is not known.</param>
/// <param name="Lines">Lines read.</param>
/// <param name="Molecules">Molecules taken.</param>
/// <param name="Refused">Lines refused.</param>
/// <param name="Elapsed">Since the start.</param>
public sealed record PreparationProgress(string Stage, double? Fraction, long Lines, long Molecules, long Refused, TimeSpan Elapsed)
{
    public double MoleculesPerSecond => Elapsed > TimeSpan.Zero ? Molecules / Elapsed.TotalSeconds : 0;
}

/// <summary>Molecules that are made rather than read: addressable by index. Called from many threads at once.</summary>
public interface IMoleculeSource
{
    /// <summary>Names the source in the store and in reports.</summary>
    string Name { get; }

    /// <summary>True where the molecules are enumerated, not found: every figure from them says so.</summary>
    bool Synthetic { get; }

    long Count { get; }

    /// <summary>No molecule has more characters.</summary>
    int MaximumCharacters { get; }

    /// <summary>Writes molecule <paramref name="index"/> and returns its length.</summary>
    int Write(long index, Span<char> molecule);
}
