namespace ChemScale.Engine.Chemistry.Selfies.V2;

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
    private int count;

    public Symbol[] Symbols = new Symbol[256];

    /// <summary>To be called where no index is held.</summary>
    public void Trim()
    {
        if (count < MaximumSymbols && texts.Length < MaximumText) return;
        count = 0;
        texts.Clear();
        Array.Clear(slots);
    }

    public ReadOnlySpan<char> Spelling(in Symbol symbol) => texts.Text.Slice(symbol.TextStart, symbol.TextLength);

    /// <summary>The index of a symbol, read and added if it is new.</summary>
    /// <param name="text">The symbol, brackets included.</param>
    /// <param name="hash">Any function of the text.</param>
    public int Find(ReadOnlySpan<char> text, uint hash)
    {
        uint mask = (uint)slots.Length - 1;
        uint at = Mix(hash) & mask;
        ReadOnlySpan<char> known = texts.Text;
        for (int slot; (slot = slots[at]) != 0; at = at + 1 & mask)
        {
            ref Symbol symbol = ref Symbols[slot - 1];
            if (symbol.KeyLength == text.Length && known.Slice(symbol.KeyStart, symbol.KeyLength).SequenceEqual(text)) return slot - 1;
        }
        return Add(text, (int)at);
    }

    private int Add(ReadOnlySpan<char> text, int slot)
    {
        int key = texts.Length;
        texts.Append(text);
        int start = texts.Length;
        Symbol symbol = SymbolReader.Read(text, texts, constraints);
        symbol.KeyStart = key;
        symbol.KeyLength = text.Length;
        symbol.TextStart = start;
        symbol.TextLength = texts.Length - start;
        if (count == Symbols.Length) Array.Resize(ref Symbols, 2 * count);
        Symbols[count] = symbol;
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
            uint at = Mix(Hash(texts.Text.Slice(Symbols[i].KeyStart, Symbols[i].KeyLength))) & mask;
            while (slots[at] != 0) at = at + 1 & mask;
            slots[at] = i + 1;
        }
    }

    public static uint Hash(ReadOnlySpan<char> text)
    {
        uint hash = 0;
        foreach (char c in text) hash = hash * 31 + c;
        return hash;
    }

    private static uint Mix(uint hash) => hash * 0x9E3779B1u >> 12;
}
