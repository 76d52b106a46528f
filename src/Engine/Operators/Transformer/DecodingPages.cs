using System.Runtime.InteropServices;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// Keys and values of sequences in pages of some tokens each, one kind for the layers that see all and one for those that have a window. A page
/// that a sequence needs no more serves another.
/// </summary>
/// <param name="width">Of keys, and of values.</param>
/// <param name="layersOf">By kind, how many layers.</param>
/// <param name="reach">Of the widest window.</param>
internal sealed unsafe class DecodingPages<T>(int width, int[] layersOf, int reach) : IDisposable
    where T : unmanaged
{
    private readonly List<long>[] free = [[], []];

    /// <summary>What a sequence's pages take.</summary>
    public long Bytes(DecodingSequence sequence) => Enumerable.Range(0, 2).Sum(kind => sequence.Pages[kind].Count * (long)PageBytes(kind));

    /// <summary>Pages for the positions from .. end - 1; those that no window reaches any more come back.</summary>
    public void Reserve(DecodingSequence sequence, int from, int end)
    {
        for (int kind = 0; kind < 2; kind++)
        {
            if (layersOf[kind] == 0) continue;
            List<long> pages = sequence.Pages[kind];
            if (kind == DecodingPages.Local)
            {
                while ((sequence.Dropped + 1) * DecodingPages.Tokens <= from + 1 - reach)
                {
                    free[kind].Add(pages[0]);
                    pages.RemoveAt(0);
                    sequence.Dropped++;
                }
            }
            while ((end - 1) / DecodingPages.Tokens - sequence.First(kind) >= pages.Count) pages.Add(NewPage(kind));
        }
    }

    /// <summary>Another sequence of the same tokens: of its pages as much is copied as there is.</summary>
    public DecodingSequence Copied(DecodingSequence from)
    {
        var sequence = new DecodingSequence { Length = from.Length, Dropped = from.Dropped };
        long half = (long)DecodingPages.Tokens * width;
        for (int kind = 0; kind < 2; kind++)
        {
            for (int p = 0; p < from.Pages[kind].Count; p++)
            {
                long page = NewPage(kind);
                sequence.Pages[kind].Add(page);
                int tokens = Math.Min(DecodingPages.Tokens, from.Length - (p + from.First(kind)) * DecodingPages.Tokens);
                // Of each layer of the kind its keys, then its values.
                for (int i = 0; i < 2 * layersOf[kind]; i++)
                    NativeMemory.Copy((T*)from.Pages[kind][p] + i * half, (T*)page + i * half, (nuint)((long)tokens * width * sizeof(T)));
            }
        }
        return sequence;
    }

    /// <summary>The sequence has no pages any more.</summary>
    public void GiveBack(DecodingSequence sequence)
    {
        for (int kind = 0; kind < 2; kind++)
        {
            free[kind].AddRange(sequence.Pages[kind]);
            sequence.Pages[kind].Clear();
        }
        sequence.Dropped = 0;
    }

    /// <summary>Pages that sequences still have stay theirs.</summary>
    public void Dispose()
    {
        foreach (List<long> pages in free)
        {
            foreach (long page in pages) NativeMemory.AlignedFree((void*)page);
            pages.Clear();
        }
    }

    private long NewPage(int kind)
    {
        int last = free[kind].Count - 1;
        if (last < 0) return (long)NativeMemory.AlignedAlloc(PageBytes(kind), 64);
        long page = free[kind][last];
        free[kind].RemoveAt(last);
        return page;
    }

    private nuint PageBytes(int kind) => (nuint)(2L * DecodingPages.Tokens * width * layersOf[kind] * sizeof(T));
}

/// <summary>What all of them share.</summary>
internal static class DecodingPages
{
    /// <summary>Of a page.</summary>
    public const int Tokens = 32;

    /// <summary>Kinds of layers: those that see all tokens, and those that have a window.</summary>
    public const int Global = 0, Local = 1;
}

/// <summary>A sequence that is being decoded.</summary>
internal sealed class DecodingSequence
{
    /// <summary>Positions decoded so far.</summary>
    public int Length { get; set; }

    /// <summary>By kind of layer.</summary>
    public List<long>[] Pages { get; } = [[], []];

    /// <summary>Pages of local layers that came before the first one there.</summary>
    public int Dropped { get; set; }

    /// <summary>Number of the first page that is there.</summary>
    public int First(int kind) => kind == DecodingPages.Local ? Dropped : 0;
}

/// <summary>What one sequence has in one layer, as a query at a position sees it.</summary>
internal readonly unsafe struct DecodingCache<T>(DecodingSequence sequence, DecodingLayer<T> layer, int width, int position)
    where T : unmanaged
{
    private readonly List<long> pages = sequence.Pages[layer.Kind];
    private readonly int first = sequence.First(layer.Kind);
    private readonly long offset = layer.Offset;

    /// <summary>The first position that is seen.</summary>
    public int Low { get; } = layer.Window > 0 ? Math.Max(0, position + 1 - layer.Window) : 0;

    public int End => position + 1;

    public int Seen => End - Low;

    /// <summary>Keys from a position on, as many as are seen and lie together; values are a page's rows further.</summary>
    public T* Keys(int from, out int count)
    {
        int within = from % DecodingPages.Tokens;
        count = Math.Min(DecodingPages.Tokens - within, End - from);
        return (T*)pages[from / DecodingPages.Tokens - first] + offset + (long)within * width;
    }
}
