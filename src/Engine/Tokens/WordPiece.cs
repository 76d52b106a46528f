using System.Collections.Concurrent;

namespace ChemScale.Engine.Tokens;

/// <summary>
/// WordPiece (Wu et al. 2016, arXiv 1609.08144) on one piece of text: the longest entry that starts it, then the longest
/// continuation (<c>##</c>) of what is left; the unknown token for the whole piece where that fails. Thread safe.
/// </summary>
internal sealed class WordPiece
{
    // Bounds the cache where text is arbitrary; a corpus has a few hundred different symbols.
    private const int MaximumCached = 1 << 16;

    private readonly SymbolTable entries;
    private readonly string prefix;
    private readonly int maximumCharacters;
    private readonly ushort[] unknown;
    private readonly ConcurrentDictionary<string, ushort[]> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ushort[]>.AlternateLookup<ReadOnlySpan<char>> cached;
    private readonly int model;

    /// <param name="entries">Texts by id; those of the model come first.</param>
    /// <param name="model">How many of <paramref name="entries"/> belong to the model; later ones are added tokens.</param>
    /// <param name="prefix">Marks a continuation.</param>
    /// <param name="maximumCharacters">A longer piece is unknown.</param>
    /// <param name="unknown">Id of the unknown token.</param>
    public WordPiece(SymbolTable entries, int model, string prefix, int maximumCharacters, ushort unknown)
    {
        this.entries = entries;
        this.model = model;
        this.prefix = prefix;
        this.maximumCharacters = maximumCharacters;
        this.unknown = [unknown];
        cached = cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The id of a piece that is one entry, or -1 where <see cref="Ids"/> must tell: the fast case.</summary>
    public int Whole(ReadOnlySpan<char> piece) => piece.Length > maximumCharacters ? -1 : Find(piece);

    /// <summary>The ids of any piece.</summary>

    public ReadOnlySpan<ushort> Ids(ReadOnlySpan<char> piece)
    {
        if (Characters(piece) > maximumCharacters) return unknown;
        if (cached.TryGetValue(piece, out ushort[]? ids)) return ids;
        ids = Spell(piece);
        if (cache.Count < MaximumCached) cached[piece] = ids;
        return ids;
    }

    private ushort[] Spell(ReadOnlySpan<char> piece)
    {
        List<ushort> ids = [];
        char[] continued = [.. prefix, .. piece];
        for (int start = 0; start < piece.Length;)
        {
            int end = piece.Length;
            int id = -1;
            for (; end > start; end--)
            {
                id = Find(start == 0 ? piece[..end] : Continued(continued, piece[start..end]));
                if (id >= 0) break;
            }
            if (id < 0) return unknown;
            ids.Add((ushort)id);
            start = end;
        }
        return [.. ids];
    }

    // The prefix stands once at the front of the buffer; the rest of the piece is laid behind it.
    private ReadOnlySpan<char> Continued(char[] buffer, ReadOnlySpan<char> rest)
    {
        rest.CopyTo(buffer.AsSpan(prefix.Length));
        return buffer.AsSpan(0, prefix.Length + rest.Length);
    }

    private int Find(ReadOnlySpan<char> text)
    {
        int id = entries.Find(text);
        return id < model ? id : -1;
    }

    // Characters are Unicode scalar values: a surrogate pair is one.
    private static int Characters(ReadOnlySpan<char> piece)
    {
        int count = piece.Length;
        foreach (char c in piece)
            if (char.IsLowSurrogate(c)) count--;
        return count;
    }
}
