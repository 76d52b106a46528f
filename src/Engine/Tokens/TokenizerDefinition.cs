using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens;

/// <summary>What a tokenizer.json says, checked.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>The file, for errors.</summary>
    public required string Place { get; init; }

    /// <summary>The file's text.</summary>
    public required string Json { get; init; }

    /// <summary>Texts by id: the model's vocabulary, then added tokens that are not in it.</summary>
    public required SymbolTable Entries { get; init; }

    public required int ModelSize { get; init; }

    public required IReadOnlyList<AddedToken> Added { get; init; }

    public required string ContinuingPrefix { get; init; }

    /// <summary>A longer piece is unknown as a whole (max_input_chars_per_word).</summary>
    public required int MaximumCharacters { get; init; }

    public required ushort Unknown { get; init; }

    public required ushort? Padding { get; init; }

    public required ushort Start { get; init; }

    public required ushort End { get; init; }

    public required Normalizer? Normalizer { get; init; }

    public required Truncation? Truncation { get; init; }

    public required SelfiesGrammar? StatedGrammar { get; init; }
}
