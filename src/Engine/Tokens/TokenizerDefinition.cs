using ChemScale.Engine.Chemistry;
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

    /// <summary>As its pattern splits.</summary>
    public required Representation Representation { get; init; }

    /// <summary>Molecules are written one way each, as the file says.</summary>
    public bool Canonical { get; init; }

    public required SelfiesGrammar? StatedGrammar { get; init; }

    /// <summary>Null: those of the grammar.</summary>
    public BondConstraints? Constraints { get; init; }
}

/// <summary>A token that is looked for in the text before anything else, such as <c>[SEP]</c>.</summary>
/// <param name="Id">Its row in the embedding table.</param>
/// <param name="Text">What is looked for, literally.</param>
/// <param name="Special">Left out when ids are decoded.</param>
/// <param name="Normalized">Looked for after normalization rather than before.</param>
internal sealed record AddedToken(ushort Id, string Text, bool Special, bool Normalized);

/// <summary>
/// The normalizer entry of a tokenizer file: what happens to the text before it is split. ChemGPT's files have
/// none. None of these lengthens a text.
/// </summary>
internal abstract record Normalizer
{
    public abstract string Apply(string text);

    public sealed record Lowercase : Normalizer
    {
        public override string Apply(string text) => text.ToLowerInvariant();
    }

    public sealed record Strip(bool Left, bool Right) : Normalizer
    {
        public override string Apply(string text)
        {
            if (Left) text = text.TrimStart();
            return Right ? text.TrimEnd() : text;
        }
    }

    public sealed record Sequence(IReadOnlyList<Normalizer> Steps) : Normalizer
    {
        public override string Apply(string text) => Steps.Aggregate(text, (done, step) => step.Apply(done));
    }
}

/// <summary>The truncation entry of a tokenizer file.</summary>
/// <param name="MaximumLength">Most ids of one molecule, [CLS] and [SEP] included.</param>
/// <param name="KeepStart">True for direction Right: the end is cut; false for Left: the start is cut.</param>
public sealed record Truncation(int MaximumLength, bool KeepStart);

/// <summary>What to do with a molecule longer than <see cref="Truncation.MaximumLength"/>. Nothing is ever cut unasked.</summary>
public enum LengthRule
{
    /// <summary>Say that it does not fit.</summary>
    Refuse,

    /// <summary>Cut it as the file says, as Hugging Face tokenizers do.</summary>
    Truncate,
}
