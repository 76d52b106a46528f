using System.Runtime.InteropServices;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>Writes the files of one side, frame after frame.</summary>
internal sealed class FrameSplitWriter : IDisposable
{
    private readonly StoreDraft _draft;
    private readonly ChecksummedFile _records;
    private readonly ChecksummedFile _offsets;
    private readonly ChecksummedFile _elements;
    private readonly ChecksummedFile _positions;
    private readonly ChecksummedFile _forces;
    private long _frames;
    private long _atoms;
    private int _largest;

    public FrameSplitWriter(StoreDraft draft, string split)
    {
        _draft = draft;
        _records = draft.Data(FrameStoreLayout.Records(split));
        _offsets = draft.Data(FrameStoreLayout.Offsets(split));
        _elements = draft.Data(FrameStoreLayout.Elements(split));
        _positions = draft.Data(FrameStoreLayout.Positions(split));
        _forces = draft.Data(FrameStoreLayout.Forces(split));
        _offsets.Write<long>([0]);
    }

    public void Add(Frame frame, int configType)
    {
        _records.Write<FrameRecord>([FrameRecord.Of(frame, configType)]);
        _elements.Write<byte>([.. frame.AtomicNumbers.Select(number => (byte)number)]);
        _positions.Write<double>(frame.Positions);
        _forces.Write<double>(frame.HasForces ? frame.Forces : [.. Enumerable.Repeat(double.NaN, 3 * frame.Atoms)]);
        _frames++;
        _atoms += frame.Atoms;
        _largest = Math.Max(_largest, frame.Atoms);
        _offsets.Write<long>([_atoms]);
    }

    public FrameCounts Complete()
    {
        foreach (ChecksummedFile file in (ChecksummedFile[])[_records, _offsets, _elements, _positions, _forces])
            _draft.Add(file.Complete());
        return new FrameCounts(_frames, _atoms, _largest);
    }

    public void Dispose()
    {
        _records.Dispose();
        _offsets.Dispose();
        _elements.Dispose();
        _positions.Dispose();
        _forces.Dispose();
    }
}

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
