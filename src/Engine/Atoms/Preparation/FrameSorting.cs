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

    public static FrameSorting Of(List<SpooledFrame> frames, FramePreparation options, FrameSpool spool)
    {
        FrameSorting sorting = new();
        List<SpooledFrame> single = sorting.Distinct(frames, spool);
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

    private List<SpooledFrame> Distinct(List<SpooledFrame> frames, FrameSpool spool)
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
