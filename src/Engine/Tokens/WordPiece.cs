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

    private readonly SymbolTable _entries;
    private readonly string _prefix;
    private readonly int _maximumCharacters;
    private readonly ushort[] _unknown;
    private readonly ConcurrentDictionary<string, ushort[]> _cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ushort[]>.AlternateLookup<ReadOnlySpan<char>> _cached;
    private readonly int _model;

    /// <param name="entries">Texts by id; those of the model come first.</param>
    /// <param name="model">How many of <paramref name="entries"/> belong to the model; later ones are added tokens.</param>
    /// <param name="prefix">Marks a continuation.</param>
    /// <param name="maximumCharacters">A longer piece is unknown.</param>
    /// <param name="unknown">Id of the unknown token.</param>
    public WordPiece(SymbolTable entries, int model, string prefix, int maximumCharacters, ushort unknown)
    {
        _entries = entries;
        _model = model;
        _prefix = prefix;
        _maximumCharacters = maximumCharacters;
        _unknown = [unknown];
        _cached = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The id of a piece that is one entry, or -1 where <see cref="Ids"/> must tell: the fast case.</summary>
    public int Whole(ReadOnlySpan<char> piece) => piece.Length > _maximumCharacters ? -1 : Find(piece);

    /// <summary>The ids of any piece.</summary>

    public ReadOnlySpan<ushort> Ids(ReadOnlySpan<char> piece)
    {
        if (Characters(piece) > _maximumCharacters) return _unknown;
        if (_cached.TryGetValue(piece, out ushort[]? ids)) return ids;
        ids = Spell(piece);
        if (_cache.Count < MaximumCached) _cached[piece] = ids;
        return ids;
    }

    private ushort[] Spell(ReadOnlySpan<char> piece)
    {
        List<ushort> ids = [];
        char[] continued = [.. _prefix, .. piece];
        for (int start = 0; start < piece.Length;)
        {
            int end = piece.Length;
            int id = -1;
            for (; end > start; end--)
            {
                id = Find(start == 0 ? piece[..end] : Continued(continued, piece[start..end]));
                if (id >= 0) break;
            }
            if (id < 0) return _unknown;
            ids.Add((ushort)id);
            start = end;
        }
        return [.. ids];
    }

    // The prefix stands once at the front of the buffer; the rest of the piece is laid behind it.
    private ReadOnlySpan<char> Continued(char[] buffer, ReadOnlySpan<char> rest)
    {
        rest.CopyTo(buffer.AsSpan(_prefix.Length));
        return buffer.AsSpan(0, _prefix.Length + rest.Length);
    }

    private int Find(ReadOnlySpan<char> text)
    {
        int id = _entries.Find(text);
        return id < _model ? id : -1;
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
