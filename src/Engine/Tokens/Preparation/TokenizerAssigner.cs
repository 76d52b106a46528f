namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Ids of a tokenizer. [UNK] is let through and counted; the other special tokens are not.</summary>
internal sealed class TokenizerAssigner(Tokenizer tokenizer) : IIdAssigner
{
    public int Assign(ReadOnlySpan<char> selfies, Span<ushort> ids) => tokenizer.Encode(selfies, ids);

    public bool IsForbidden(ushort id) => tokenizer.Vocabulary.IsSpecial(id) && id != tokenizer.Vocabulary.Unknown;
}
