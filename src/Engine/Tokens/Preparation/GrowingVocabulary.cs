using System.Collections.Concurrent;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Numbers symbols as workers meet them, so a corpus is read only once. The numbers depend on chance; <see cref="Finish"/>
/// counts and sorts, and the vocabulary it makes depends on the corpus alone.
/// </summary>
internal sealed class GrowingVocabulary(Representation representation = Representation.Selfies)
{
    private static readonly int Specials = TokenizerWriter.Specials.Length;

    private readonly ConcurrentDictionary<string, ushort> ids = new(StringComparer.Ordinal);
    private readonly Lock growing = new();
    private readonly long[] counts = new long[ushort.MaxValue + 1];

    /// <summary>Of the molecules that are split.</summary>
    private Representation Representation { get; } = representation;

    /// <summary>Counts the symbols of a molecule that is taken. One thread.</summary>
    public void Count(ReadOnlySpan<ushort> ids)
    {
        foreach (ushort id in ids) counts[id]++;
    }

    public IIdAssigner Assigner() => new ThreadAssigner(this);

    /// <summary>The vocabulary, and the final id of each number.</summary>
    public (Tokenizer Tokenizer, ushort[] Final) Finish(Notation notation, long minimumCount)
    {
        SymbolCounts counts = new(Representation);
        foreach ((string symbol, ushort id) in ids)
            if (this.counts[id] > 0) counts.Add(symbol, this.counts[id]);
        Tokenizer tokenizer = counts.ToTokenizer(notation, minimumCount);
        ushort[] final = new ushort[Specials + ids.Count];
        for (ushort id = 0; id < Specials; id++) final[id] = id;
        foreach ((string symbol, ushort id) in ids)
            final[id] = tokenizer.Vocabulary.TryFind(symbol, out ushort known) ? known : tokenizer.Vocabulary.Unknown;
        return (tokenizer, final);
    }

    private ushort Number(string symbol)
    {
        if (ids.TryGetValue(symbol, out ushort known)) return known;
        lock (growing)
        {
            int next = Specials + ids.Count;
            if (next > ushort.MaxValue)
            {
                throw new InputException("vocabulary", $"more than {ids.Count} different symbols", "a tokenizer file that spells them");
            }
            return ids.GetOrAdd(symbol, (ushort)next);
        }
    }

    private sealed class ThreadAssigner(GrowingVocabulary shared) : IIdAssigner
    {
        private readonly SymbolTable known = new();
        private readonly List<ushort> numbers = [];

        public int Assign(ReadOnlySpan<char> molecule, Span<ushort> ids)
        {
            int count = 0;
            ids[count++] = TokenizerWriter.StartId;
            while (molecule.Length > 0)
            {
                int length = Notation.NextPiece(shared.Representation, molecule);
                ids[count++] = Number(molecule[..length]);
                molecule = molecule[length..];
            }
            ids[count++] = TokenizerWriter.EndId;
            return count;
        }

        public bool IsForbidden(ushort id) => id < Specials;

        private ushort Number(ReadOnlySpan<char> symbol)
        {
            int index = known.Find(symbol);
            if (index >= 0) return numbers[index];
            string text = symbol.ToString();
            int special = TokenizerWriter.Specials.IndexOf(text);
            known.Add(symbol);
            numbers.Add(special >= 0 ? (ushort)special : shared.Number(text));
            return numbers[^1];
        }
    }
}

/// <summary>Molecules as they are written to ids, those of a tokenizer or those of a vocabulary that is still growing. One per thread.</summary>
internal interface IIdAssigner
{
    /// <summary>
    /// Writes the ids of a molecule, start and end included, into a span that has room for two more than there are characters;
    /// returns how many, or minus that where the tokenizer file's limit is exceeded.
    /// </summary>
    int Assign(ReadOnlySpan<char> molecule, Span<ushort> ids);

    /// <summary>True for an id that must not stand inside a molecule.</summary>
    bool IsForbidden(ushort id);

    /// <summary>The id of every symbol that has none; null where each symbol gets one.</summary>
    ushort? Unknown => null;

    /// <summary>Whether the dot between fragments has an id of its own.</summary>
    bool HasSeparator => true;
}

/// <summary>Ids of a tokenizer. [UNK] is let through and counted; the other special tokens are not.</summary>
internal sealed class TokenizerAssigner(Tokenizer tokenizer) : IIdAssigner
{
    public int Assign(ReadOnlySpan<char> molecule, Span<ushort> ids) => tokenizer.Encode(molecule, ids);

    public bool IsForbidden(ushort id) => tokenizer.Vocabulary.IsSpecial(id) && id != tokenizer.Vocabulary.Unknown;

    public ushort? Unknown => tokenizer.Vocabulary.Unknown;

    public bool HasSeparator { get; } = tokenizer.Vocabulary.TryFind(".", out _);
}
