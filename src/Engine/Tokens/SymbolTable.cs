using System.Runtime.InteropServices;

namespace ChemScale.Engine.Tokens;

/// <summary>
/// Texts numbered in the order they are added, found by span without allocating. Reading from many threads is safe while nothing is added.
/// </summary>
internal sealed class SymbolTable
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private string[] texts = new string[16];
    private uint[] hashes = new uint[16];
    private int[] slots = new int[64];

    public int Count { get; private set; }

    public string this[int index] => texts[index];

    /// <summary>The number of <paramref name="text"/>, or -1.</summary>
    public int Find(ReadOnlySpan<char> text)
    {
        uint hash = Hash(text);
        int mask = slots.Length - 1;
        for (int slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            int index = slots[slot] - 1;
            if (index < 0) return -1;
            if (hashes[index] == hash && text.SequenceEqual(texts[index])) return index;
        }
    }

    /// <summary>The number of <paramref name="text"/>, which is added where it is new.</summary>
    public int Add(ReadOnlySpan<char> text)
    {
        int found = Find(text);
        if (found >= 0) return found;
        if (Count == texts.Length)
        {
            Array.Resize(ref texts, Count * 2);
            Array.Resize(ref hashes, Count * 2);
        }
        texts[Count] = text.ToString();
        hashes[Count] = Hash(text);
        Count++;
        if (Count * 4 > slots.Length) Rebuild(slots.Length * 4);
        else Place(Count - 1);
        return Count - 1;
    }

    private void Rebuild(int slots)
    {
        this.slots = new int[slots];
        for (int i = 0; i < Count; i++) Place(i);
    }

    private void Place(int index)
    {
        int mask = slots.Length - 1;
        int slot = (int)hashes[index] & mask;
        while (slots[slot] != 0) slot = (slot + 1) & mask;
        slots[slot] = index + 1;
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
