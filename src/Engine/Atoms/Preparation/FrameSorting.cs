using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms.Store;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Frames in the order of their keys, one of each, on their sides.</summary>
internal sealed class FrameSorting
{
    public List<SpooledFrame> Train { get; } = [];

    public List<SpooledFrame> Validation { get; } = [];

    /// <summary>Copies left out: of frames of equal atoms the first is kept, a validation frame before a training frame.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Of these, training frames that are in the validation set.</summary>
    public long Shared { get; private set; }

    public static FrameSorting Of(List<SpooledFrame> frames, FramePreparation options, FrameSpool spool, CancellationToken stop)
    {
        FrameSorting sorting = new();
        List<SpooledFrame> single = sorting.Distinct(frames, spool, stop);
        bool given = options.ValidationFiles.Count > 0 || options.SplitFile is not null;
        ulong[] heldOut = options.ValidationFrames is { } count ? LeastSideKeys(single, count) : [];
        HashSet<ulong> chosen = [.. heldOut];
        foreach (SpooledFrame frame in single)
        {
            bool validation = given ? frame.Validation
                : options.ValidationFrames is not null ? chosen.Contains(FrameSplitRule.SideKey(frame.Key))
                : FrameSplitRule.IsValidation(frame.Key, options.ValidationFraction);
            (validation ? sorting.Validation : sorting.Train).Add(frame);
        }
        return sorting;
    }

    private static ulong[] LeastSideKeys(List<SpooledFrame> frames, long count) => count < frames.Count
        ? [.. frames.Select(frame => FrameSplitRule.SideKey(frame.Key)).Order().Take((int)count)]
        : throw new InputException("validation frames", $"{count} of {frames.Count} frames", "fewer, so that some are left to train on");

    private List<SpooledFrame> Distinct(List<SpooledFrame> frames, FrameSpool spool, CancellationToken stop)
    {
        frames.Sort((a, b) =>
        {
            int order = a.Key.CompareTo(b.Key);
            if (order == 0) order = b.Validation.CompareTo(a.Validation);
            return order != 0 ? order : a.Offset.CompareTo(b.Offset);
        });
        List<SpooledFrame> single = [];
        List<(byte[] Identity, bool Validation)> sameKey = [];
        for (int i = 0; i < frames.Count; i++)
        {
            stop.ThrowIfCancellationRequested();
            bool startsRun = i == 0 || frames[i - 1].Key != frames[i].Key;
            if (startsRun) sameKey.Clear();
            if (startsRun && (i + 1 == frames.Count || frames[i + 1].Key != frames[i].Key))
            {
                single.Add(frames[i]);
                continue;
            }
            byte[] identity = FrameSplitRule.Identity(spool.Read(frames[i].Offset));
            int same = sameKey.FindIndex(other => other.Identity.AsSpan().SequenceEqual(identity));
            if (same < 0)
            {
                sameKey.Add((identity, frames[i].Validation));
                single.Add(frames[i]);
                continue;
            }
            Duplicates++;
            if (sameKey[same].Validation && !frames[i].Validation) Shared++;
        }
        return single;
    }
}

/// <summary>Frames in order of arrival in a file, so that sorting them takes memory for their keys alone.</summary>
internal sealed class FrameSpool(Stream stream)
{
    private const int BufferBytes = 1 << 20;

    private readonly BufferedStream writer = new(stream, BufferBytes);
    private readonly Dictionary<string, int> types = new(StringComparer.Ordinal);
    private long end;

    /// <summary>Names of configurations, in order of arrival.</summary>
    public List<string> ConfigTypes { get; } = [];

    /// <summary>Where the frame starts.</summary>
    public long Add(Frame frame)
    {
        long start = end;
        FrameRecord record = FrameRecord.Of(frame, TypeOf(frame));
        Write(MemoryMarshal.AsBytes(new ReadOnlySpan<FrameRecord>(in record)));
        Write(MemoryMarshal.AsBytes<int>([frame.Atoms]));
        Write([.. frame.AtomicNumbers.Select(number => (byte)number)]);
        Write(MemoryMarshal.AsBytes<double>(frame.Positions));
        if (frame.HasForces) Write(MemoryMarshal.AsBytes<double>(frame.Forces));
        return start;
    }

    /// <summary>No more frames will come.</summary>
    public void Flush() => writer.Flush();

    public Frame Read(long offset)
    {
        stream.Position = offset;
        FrameRecord record = Read<FrameRecord>(1)[0];
        int atoms = Read<int>(1)[0];
        byte[] elements = Read<byte>(atoms);
        double[] positions = Read<double>(3 * atoms);
        return record.ToFrame(elements, positions, record.HasForces ? Read<double>(3 * atoms) : [], ConfigTypes, "spool");
    }

    public int TypeOf(Frame frame)
    {
        if (frame.ConfigType is null) return -1;
        if (types.TryGetValue(frame.ConfigType, out int index)) return index;
        ConfigTypes.Add(frame.ConfigType);
        return types[frame.ConfigType] = ConfigTypes.Count - 1;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        writer.Write(bytes);
        end += bytes.Length;
    }

    private T[] Read<T>(int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}

/// <summary>A frame that waits in the spool for its place.</summary>
/// <param name="Key">Its place in the order.</param>
/// <param name="Offset">Where it starts in the spool: also its order of arrival.</param>
/// <param name="Validation">True where it is held out.</param>
internal readonly record struct SpooledFrame(ulong Key, long Offset, bool Validation);
