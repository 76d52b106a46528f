namespace ChemScale.Engine.Tokens;

/// <summary>
/// Counts the symbols of a corpus and makes a vocabulary in which each is one token: special tokens first, then symbols from the most to
/// the least frequent, equals in ordinal order, so the corpus alone decides it. One per thread; <see cref="Merge"/> sums them.
/// </summary>
internal sealed class SymbolCounts(Representation representation = Representation.Selfies)
{
    private readonly SymbolTable symbols = new();
    private long[] counts = new long[64];

    /// <summary>Different symbols seen.</summary>
    public int Count => symbols.Count;

    /// <summary>Counts the symbols of one molecule (dots between fragments are symbols too).</summary>
    public void Add(ReadOnlySpan<char> molecule)
    {
        while (molecule.Length > 0)
        {
            int length = Notation.NextPiece(representation, molecule);
            Add(molecule[..length], 1);
            molecule = molecule[length..];
        }
    }

    public void Merge(SymbolCounts other)
    {
        for (int i = 0; i < other.Count; i++) Add(other.symbols[i], other.counts[i]);
    }

    /// <summary>The symbols that occur at least <paramref name="minimumCount"/> times, in vocabulary order.</summary>
    public IReadOnlyList<(string Symbol, long Count)> Sorted(long minimumCount = 1)
    {
        List<(string Symbol, long Count)> list = [];
        for (int i = 0; i < Count; i++)
        {
            if (counts[i] >= minimumCount && !TokenizerWriter.Specials.Contains(symbols[i])) list.Add((symbols[i], counts[i]));
        }
        list.Sort((a, b) => a.Count != b.Count ? b.Count.CompareTo(a.Count) : string.CompareOrdinal(a.Symbol, b.Symbol));
        return list;
    }

    /// <summary>The tokenizer of <see cref="Sorted"/>; rarer symbols become [UNK].</summary>
    /// <exception cref="InputException">More symbols than 16-bit ids.</exception>
    public Tokenizer ToTokenizer(Notation notation, long minimumCount = 1)
    {
        IReadOnlyList<(string Symbol, long Count)> sorted = Sorted(minimumCount);
        int most = ushort.MaxValue + 1 - TokenizerWriter.Specials.Length;
        if (sorted.Count > most)
        {
            throw new InputException("vocabulary", $"{sorted.Count} different symbols", $"at most {most}", "raise the minimum count");
        }
        return Tokenizer.Parse(TokenizerWriter.Symbols([.. sorted.Select(entry => entry.Symbol)], notation), "the vocabulary of the corpus");
    }

    internal void Add(ReadOnlySpan<char> symbol, long count)
    {
        int index = symbols.Add(symbol);
        if (index >= counts.Length) Array.Resize(ref counts, counts.Length * 2);
        counts[index] += count;
    }
}
