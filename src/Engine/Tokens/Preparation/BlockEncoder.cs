using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>What one worker does with a block: every molecule to ids and a key, or refused with a reason.</summary>
internal sealed class BlockEncoder(IBlockReader reader, IMoleculeEncoder encoder, IIdAssigner assigner, SplitRule split, int maximumTokens)
{
    // Beyond any molecule of so few tokens, and a bound to what the chemistry is given.
    private const int MaximumCharacters = 10_000;

    public void Encode(MoleculeBlock block) => reader.ForEach(block, Encode);

    private void Encode(MoleculeBlock block, long line, ReadOnlySpan<char> molecule)
    {
        string? reason = null;
        ReadOnlySpan<char> selfies = default;
        if (molecule.Length > MaximumCharacters) reason = $"more than {MaximumCharacters} characters";
        else if (!encoder.TryEncode(molecule, out selfies)) reason = encoder.Reason;
        reason ??= selfies.Length == 0 ? "an empty molecule" : Assign(block, line, selfies);
        if (reason is not null) block.Refuse(line, reason, molecule);
    }

    private string? Assign(MoleculeBlock block, long line, ReadOnlySpan<char> selfies)
    {
        Span<ushort> ids = block.Room(selfies.Length + 2);
        int count = assigner.Assign(selfies, ids);
        if (count < 0) return "more tokens than the truncation.max_length of the tokenizer file";
        if (count > maximumTokens) return $"more than {maximumTokens} tokens";
        foreach (ushort id in ids[1..(count - 1)])
            if (assigner.IsForbidden(id)) return "a special token inside the molecule";
        block.Take(line, split.Key(selfies), count);
        return null;
    }
}
