using ChemScale.Engine.Generation;
using ChemScale.Engine.Studies.Toolkits;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>
/// One sampled molecule. Selfies: what was drawn, SMILES where the model is one of SMILES. Smiles: null where that is no molecule. Finished: it ended within
/// the limit.
/// </summary>
public sealed record GeneratedMolecule(string Selfies, string? Smiles, bool Finished);

/// <summary>What is to be sampled.</summary>
public sealed record GenerationRequest
{
    /// <summary>Run directory of a ChemGPT.</summary>
    public required string Run { get; init; }

    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>What every molecule begins with; may be empty.</summary>
    public string Prompt { get; init; } = "";

    public PromptForm PromptForm { get; init; }

    /// <summary>Draws whatever the tokenizer has, pieces of symbols too: what is drawn may then decode to nothing.</summary>
    public bool AllTokens { get; init; }

    /// <summary>Folder that receives molecules.tsv; one there is replaced when the new one is complete.</summary>
    public required string Output { get; init; }

    /// <summary>Go on with what an interrupted sampling of the same request left there.</summary>
    public bool Resume { get; init; }

    /// <summary>CPU threads; 0: one for models too small to gain from more, else the library's choice.</summary>
    public int Threads { get; init; }
}

/// <summary>What a sampling gave.</summary>
public sealed record GeneratedMolecules
{
    /// <summary>Most molecules that <see cref="Molecules"/> holds.</summary>
    public const int MostShown = 1000;

    /// <summary>All of it: what was drawn, SMILES and whether it ended, a line each.</summary>
    public required string File { get; init; }

    /// <summary>What all begin with, as SELFIES and SMILES.</summary>
    public required MoleculePrompt Prompt { get; init; }

    public required GenerationCounts Counts { get; init; }

    /// <summary>Sequences that ended in time and are no molecules, by reason.</summary>
    public IReadOnlyDictionary<string, long> RefusedByReason { get; init; } = new Dictionary<string, long>();

    /// <summary>RDKit's verdict of a sample of the valid ones.</summary>
    public required ToolkitValidity Toolkit { get; init; }

    /// <summary>The first of them.</summary>
    public required IReadOnlyList<GeneratedMolecule> Molecules { get; init; }
}

/// <summary>What became of the sequences of a sampling: each is valid, empty, refused or unfinished.</summary>
public sealed record GenerationCounts
{
    public long Sequences { get; set; }

    /// <summary>Ended in time, and decode to molecules with atoms.</summary>
    public long Valid { get; set; }

    /// <summary>Different molecules among the valid ones.</summary>
    public long Distinct { get; set; }

    /// <summary>Ended in time and decode to nothing.</summary>
    public long Empty { get; set; }

    /// <summary>Ended in time and do not decode.</summary>
    public long Refused { get; set; }

    /// <summary>Did not end in time.</summary>
    public long Unfinished { get; set; }

    /// <summary>Symbols drawn or given, start and end tokens not counted.</summary>
    public long Tokens { get; set; }
}
