using System.Runtime.InteropServices;

namespace ChemScale.Engine.Tokens;

/// <summary>
/// Texts numbered in the order they are added, found by span without allocating. Reading from many threads is safe while nothing is added.
/// </summary>
internal sealed class SymbolTable
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private string[] _texts = new string[16];
    private uint[] _hashes = new uint[16];
    private int[] _slots = new int[64];

    public int Count { get; private set; }

    public string this[int index] => _texts[index];

    /// <summary>The number of <paramref name="text"/>, or -1.</summary>
    public int Find(ReadOnlySpan<char> text)
    {
        uint hash = Hash(text);
        int mask = _slots.Length - 1;
        for (int slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            int index = _slots[slot] - 1;
            if (index < 0) return -1;
            if (_hashes[index] == hash && text.SequenceEqual(_texts[index])) return index;
        }
    }

    /// <summary>The number of <paramref name="text"/>, which is added where it is new.</summary>
    public int Add(ReadOnlySpan<char> text)
    {
        int found = Find(text);
        if (found >= 0) return found;
        if (Count == _texts.Length)
        {
            Array.Resize(ref _texts, Count * 2);
            Array.Resize(ref _hashes, Count * 2);
        }
        _texts[Count] = text.ToString();
        _hashes[Count] = Hash(text);
        Count++;
        if (Count * 4 > _slots.Length) Rebuild(_slots.Length * 4);
        else Place(Count - 1);
        return Count - 1;
    }

    private void Rebuild(int slots)
    {
        _slots = new int[slots];
        for (int i = 0; i < Count; i++) Place(i);
    }

    private void Place(int index)
    {
        int mask = _slots.Length - 1;
        int slot = (int)_hashes[index] & mask;
        while (_slots[slot] != 0) slot = (slot + 1) & mask;
        _slots[slot] = index + 1;
    }

    // Symbols are 3 to 12 characters: four characters a step, then the rest.
    private static uint Hash(ReadOnlySpan<char> text)
    {
        ulong hash = (ulong)text.Length * Multiplier;
        while (text.Length >= 4)
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(text))) * Multiplier;
            hash ^= hash >> 32;
            text = text[4..];
        }
        ulong rest = 0;
        foreach (char c in text) rest = (rest << 16) | c;
        hash = (hash ^ rest) * Multiplier;
        return (uint)(hash >> 32);
    }
}
