using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

/// <summary>
/// Which rows and heads a group owns, and which of them a thread does. A group takes a tile of rows of one molecule and some heads;
/// heads are innermost over its threads, so that a warp sees few rows, and with them few keys that causality hides.
/// </summary>
internal struct AttentionPlace
{
    /// <summary>Of the molecule: its rows are Begin .. End - 1.</summary>
    public int Begin;
    public int End;

    /// <summary>Of the group's tile, the last included.</summary>
    public int FirstRow;
    public int LastRow;

    /// <summary>
    /// Rows of the threads that must walk together, the last included: the warp's where lanes exchange, else the thread's own. None: the
    /// last lies before the molecule.
    /// </summary>
    public int FirstTogether;
    public int LastTogether;

    public int FirstHead;
    public int Heads;

    /// <summary>The thread's own; the group's last where it has none.</summary>
    public int Row;
    public int Head;

    /// <summary>Which of the threads that share row and head.</summary>
    public int Lane;

    /// <summary>Threads of a row, and which of them; where it has no head, of the group's last one: what a row holds beyond that nobody has written.</summary>
    public int Width;
    public int Slot;

    /// <summary>The thread owns a row and a head.</summary>
    public bool Active;

    /// <param name="tiles">(tiles, 3): the molecule's first row and its end, the tile's first row</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="headsPerGroup">The last group of a tile may have fewer.</param>
    public static AttentionPlace Find<TLanes>(ArrayView<int> tiles, int heads, int headsPerGroup)
        where TLanes : struct, ILanes
    {
        int chunks = (heads + headsPerGroup - 1) / headsPerGroup, tile = Grid.IdxX / chunks;
        int firstHead = (Grid.IdxX - tile * chunks) * headsPerGroup;
        int width = headsPerGroup * TLanes.Count, rows = Group.DimX / width;
        int begin = tiles[3 * tile], end = tiles[3 * tile + 1], firstRow = tiles[3 * tile + 2];
        int count = Min(headsPerGroup, heads - firstHead), lastRow = Min(firstRow + rows, end) - 1;

        int thread = Group.IdxX, slot = thread % width, row = firstRow + thread / width, head = slot >> TLanes.Shift;
        bool active = row <= lastRow && head < count;
        int first = row, last = active ? row : begin - 1;
        if (TLanes.Count > 1)
        {
            first = firstRow + (thread & ~31) / width;
            last = first > lastRow ? begin - 1 : Min(firstRow + (thread | 31) / width, lastRow);
        }
        return new AttentionPlace
        {
            Begin = begin,
            End = end,
            FirstRow = firstRow,
            LastRow = lastRow,
            FirstTogether = first,
            LastTogether = last,
            FirstHead = firstHead,
            Heads = count,
            Row = Min(row, lastRow),
            Head = firstHead + Min(head, count - 1),
            Lane = slot & (TLanes.Count - 1),
            Width = width,
            Slot = Min(head, count - 1) * TLanes.Count + (slot & (TLanes.Count - 1)),
            Active = active,
        };
    }

    /// <summary>Whether a query of a molecule sees one of its keys: one comparison, since a negative number becomes a great one.</summary>
    public static bool Sees(int query, int key, int window) => (uint)(query - key) < (uint)window;

    public static int Min(int a, int b) => a < b ? a : b;

    public static int Max(int a, int b) => a > b ? a : b;
}
