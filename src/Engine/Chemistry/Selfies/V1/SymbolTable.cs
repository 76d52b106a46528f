namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// Every symbol seen so far, found again by its text without making a string. The table starts afresh, between calls, when a corpus
/// of nonsense has filled it.
/// </summary>
internal sealed class SymbolTable(BondConstraints constraints)
{
    private const int MaximumSymbols = 1 << 14;
    private const int MaximumText = 1 << 20;

    private readonly TextBuffer texts = new();
    private int[] slots = new int[1 << 10]; // 1 + index of the symbol; 0: empty
    private Symbol[] symbols = new Symbol[256];
    private int count;

    public ReadOnlySpan<Symbol> Symbols => symbols;

    /// <summary>Text that the slices of the symbols refer to.</summary>
    public ReadOnlySpan<char> Texts => texts.Text;

    /// <summary>To be called where no index is held.</summary>
    public void Trim()
    {
        if (count < MaximumSymbols && texts.Length < MaximumText) return;
        count = 0;
        texts.Clear();
        Array.Clear(slots);
    }

    /// <summary>The index of a symbol, read and added if it is new.</summary>
    /// <param name="symbol">Brackets included.</param>
    /// <param name="hash"><see cref="Extend"/> over its characters, from 0.</param>
    public int Find(ReadOnlySpan<char> symbol, uint hash)
    {
        uint mask = (uint)slots.Length - 1;
        uint at = Mix(hash) & mask;
        ReadOnlySpan<char> known = texts.Text;
        for (int slot; (slot = slots[at]) != 0; at = (at + 1) & mask)
        {
            ref Symbol candidate = ref symbols[slot - 1];
            if (candidate.KeyLength == symbol.Length && known.Slice(candidate.KeyStart, candidate.KeyLength).SequenceEqual(symbol))
                return slot - 1;
        }
        return Add(symbol, at);
    }

    public static uint Extend(uint hash, char c) => hash * 31 + c;

    private static uint Mix(uint hash) => hash * 0x9E3779B1u >> 12;

    private int Add(ReadOnlySpan<char> symbol, uint slot)
    {
        int key = texts.Length;
        texts.Append(symbol);
        int start = texts.Length;
        Symbol read = SymbolReader.Read(symbol, texts, constraints);
        read.KeyStart = key;
        read.KeyLength = symbol.Length;
        read.TextStart = start;
        read.TextLength = texts.Length - start;
        if (count == symbols.Length) Array.Resize(ref symbols, 2 * count);
        symbols[count] = read;
        slots[slot] = ++count;
        if (2 * count > slots.Length) Rehash();
        return count - 1;
    }

    private void Rehash()
    {
        slots = new int[2 * slots.Length];
        uint mask = (uint)slots.Length - 1;
        for (int i = 0; i < count; i++)
        {
            uint hash = 0;
            foreach (char c in texts.Text.Slice(symbols[i].KeyStart, symbols[i].KeyLength)) hash = Extend(hash, c);
            uint at = Mix(hash) & mask;
            while (slots[at] != 0) at = (at + 1) & mask;
            slots[at] = i + 1;
        }
    }
}
