using System.Numerics;

namespace ChemScale.Engine.Tokens.Conversion;

/// <summary>How large blocks of lines are.</summary>
internal static class LineBlocks
{
    /// <summary>2,000 molecules or so: a few ms of work. With what becomes of them, larger blocks do not fit the caches.</summary>
    public const int Size = 1 << 16;

    // A buffer that held a giant line is not kept.
    private const int Largest = 1 << 22;

    /// <summary>Room for <paramref name="needed"/> in a buffer whose content is not wanted: another only where it is too small, or far too large.</summary>
    public static void Fit<T>(ref T[] buffer, int needed)
    {
        if (buffer.Length < needed || (buffer.Length > Largest && needed <= Largest / 2)) buffer = new T[Math.Max(2 * Size, needed + needed / 4)];
    }
}

/// <summary>Cuts what comes in, bytes of UTF-8 or characters, into blocks of whole lines; what ends a line is LF, CR or both.</summary>
internal sealed class LineBlocks<T>(LineBlocks<T>.Reader read)
    where T : unmanaged, IBinaryInteger<T>
{
    private static readonly T LineFeed = T.CreateTruncating('\n'), CarriageReturn = T.CreateTruncating('\r');

    private T[] kept = [];
    private int keptCount;

    /// <summary>Reads some, waiting for the first; 0 at the end.</summary>
    public delegate int Reader(Span<T> buffer);

    /// <summary>One read more, of at most <see cref="LineBlocks.Size"/>, or as many as it takes for a whole line.</summary>
    /// <returns>How many there are; 0 at the end.</returns>
    public int Fill(ref T[] block)
    {
        int count = keptCount;
        LineBlocks.Fit(ref block, LineBlocks.Size + count);
        kept.AsSpan(0, count).CopyTo(block);
        keptCount = 0;
        while (true)
        {
            if (count == block.Length) Array.Resize(ref block, 2 * count);
            int got = read(block.AsSpan(count, Math.Min(LineBlocks.Size, block.Length - count)));
            if (got == 0) return count;
            // A CR that came last may have been half of an end.
            int searched = Math.Max(0, count - 1);
            count += got;
            int whole = Whole(block.AsSpan(searched..count));
            if (whole == 0) continue;
            Keep(block.AsSpan((searched + whole)..count));
            return searched + whole;
        }
    }

    private static int Whole(ReadOnlySpan<T> text)
    {
        int end = text.LastIndexOf(LineFeed);
        return (end >= 0 ? end : text[..^1].LastIndexOf(CarriageReturn)) + 1;
    }

    private void Keep(ReadOnlySpan<T> rest)
    {
        LineBlocks.Fit(ref kept, rest.Length);
        rest.CopyTo(kept);
        keptCount = rest.Length;
    }
}
