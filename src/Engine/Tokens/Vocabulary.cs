namespace ChemScale.Engine.Tokens;

/// <summary>Ids and their texts: ids are 0..<see cref="Size"/>-1, each with its own text. Immutable.</summary>
public sealed class Vocabulary
{
    private readonly SymbolTable table;
    private readonly bool[] special;

    internal Vocabulary(SymbolTable table, ReadOnlySpan<ushort> special, ushort unknown, ushort? padding, ushort start, ushort end)
    {
        this.table = table;
        this.special = new bool[table.Count];
        foreach (ushort id in special) this.special[id] = true;
        foreach (ushort id in (ReadOnlySpan<ushort>)[unknown, padding ?? unknown, start, end]) this.special[id] = true;
        Unknown = unknown;
        Padding = padding;
        Start = start;
        End = end;
    }

    public int Size => table.Count;

    /// <summary>[UNK]: a symbol the vocabulary cannot spell.</summary>
    public ushort Unknown { get; }

    /// <summary>[PAD]; null where the file has none.</summary>
    public ushort? Padding { get; }

    /// <summary>[CLS]: before every molecule.</summary>
    public ushort Start { get; }

    /// <summary>[SEP]: after every molecule.</summary>
    public ushort End { get; }

    /// <summary>The text of an id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not an id of this vocabulary.</exception>
    public string Text(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Size);
        return table[id];
    }

    public bool TryFind(ReadOnlySpan<char> text, out ushort id)
    {
        int found = table.Find(text);
        id = (ushort)Math.Max(found, 0);
        return found >= 0;
    }

    /// <summary>True for [UNK], [PAD], [CLS], [SEP], [MASK] and their like: not part of a molecule.</summary>
    public bool IsSpecial(int id) => special[id];
}
