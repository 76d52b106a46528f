using System.Numerics;
using System.Runtime.InteropServices;

namespace ChemScale.Engine.Numerics;

/// <summary>
/// XXH64 (Collet, xxHash specification 0.1.1) of a text's UTF-16 little-endian bytes: the same on every machine and in every version,
/// because the split of a corpus hangs on it.
/// </summary>
internal static class StableHash
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;

    public static ulong Of(ReadOnlySpan<char> text, ulong seed) => Of(MemoryMarshal.AsBytes(text), seed);

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong hash = bytes.Length >= 32 ? Stripes(ref bytes, seed) : seed + Prime5 + (ulong)bytes.Length;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            hash ^= Round(0, MemoryMarshal.Read<ulong>(bytes));
            hash = BitOperations.RotateLeft(hash, 27) * Prime1 + Prime4;
        }
        if (bytes.Length >= 4)
        {
            hash ^= MemoryMarshal.Read<uint>(bytes) * Prime1;
            hash = BitOperations.RotateLeft(hash, 23) * Prime2 + Prime3;
            bytes = bytes[4..];
        }
        foreach (byte b in bytes) hash = BitOperations.RotateLeft(hash ^ (b * Prime5), 11) * Prime1;
        return Avalanche(hash);
    }

    /// <summary>A bijection that spreads every input bit over all output bits.</summary>
    public static ulong Avalanche(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private static ulong Stripes(ref ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong length = (ulong)bytes.Length;
        ulong a = seed + Prime1 + Prime2, b = seed + Prime2, c = seed, d = seed - Prime1;
        for (; bytes.Length >= 32; bytes = bytes[32..])
        {
            a = Round(a, MemoryMarshal.Read<ulong>(bytes));
            b = Round(b, MemoryMarshal.Read<ulong>(bytes[8..]));
            c = Round(c, MemoryMarshal.Read<ulong>(bytes[16..]));
            d = Round(d, MemoryMarshal.Read<ulong>(bytes[24..]));
        }
        ulong hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7);
        hash += BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        foreach (ulong lane in (ReadOnlySpan<ulong>)[a, b, c, d]) hash = (hash ^ Round(0, lane)) * Prime1 + Prime4;
        return hash + length;
    }

    private static ulong Round(ulong lane, ulong input) => BitOperations.RotateLeft(lane + input * Prime2, 31) * Prime1;
}
