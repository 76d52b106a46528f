using System.Runtime.InteropServices;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>
/// A frame's place in the order of its side, and which side it falls on where nothing says so: both from a hash of its atoms and a seed
/// alone, not of its labels. So the first n frames are a random sample for every n, and a smaller sample is inside a larger one.
/// </summary>
internal static class FrameSplitRule
{
    /// <summary>Named in the store, so that a later rule cannot be taken for this one.</summary>
    public const string Name = "xxh64-frame-v1";

    private const ulong SideSalt = 0xD6E8FEB86659FD93;
    private const double TwoToMinus64 = 1.0 / 18446744073709551616.0;

    /// <summary>What makes two frames the same one: atoms, positions, cell, periodicity, charge and spin, to the bit.</summary>
    public static byte[] Identity(Frame frame)
    {
        double[] header =
        [
            frame.Atoms, frame.Charge, frame.Spin,
            frame.Periodic[0] ? 1 : 0, frame.Periodic[1] ? 1 : 0, frame.Periodic[2] ? 1 : 0,
            .. frame.Cell ?? [],
        ];
        return
        [
            .. MemoryMarshal.AsBytes<double>(header),
            .. frame.AtomicNumbers.Select(number => (byte)number),
            .. MemoryMarshal.AsBytes<double>(frame.Positions),
        ];
    }

    /// <summary>The frame's place in the order.</summary>
    public static ulong Key(byte[] identity, long seed) => StableHash.Of(identity, (ulong)seed);

    /// <summary>A second order, independent of the first: frames with the least of these are held out.</summary>
    public static ulong SideKey(ulong key) => StableHash.Avalanche(key ^ SideSalt);

    public static bool IsValidation(ulong key, double fraction) => SideKey(key) * TwoToMinus64 < fraction;
}
