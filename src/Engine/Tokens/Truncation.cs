namespace ChemScale.Engine.Tokens;

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
