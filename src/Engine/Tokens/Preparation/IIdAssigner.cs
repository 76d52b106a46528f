namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>SELFIES to ids, those of a tokenizer or those of a vocabulary that is still growing. One per thread.</summary>
internal interface IIdAssigner
{
    /// <summary>
    /// Writes the ids of a molecule, start and end included, into a span that has room for two more than there are characters;
    /// returns how many, or minus that where the tokenizer file's limit is exceeded.
    /// </summary>
    int Assign(ReadOnlySpan<char> selfies, Span<ushort> ids);

    /// <summary>True for an id that must not stand inside a molecule.</summary>
    bool IsForbidden(ushort id);
}
