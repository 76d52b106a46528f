using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// Which rows and head a warp owns, and which of them a lane does. The warps of a group take tiles that follow one another, of one head:
/// those of a molecule read the same rows at about the same time. Heads are innermost over groups.
/// </summary>
internal struct MatrixPlace
{
    /// <summary>The warp has a tile; where it has none it must leave.</summary>
    public bool Active;

    /// <summary>Of the molecule: its rows are Begin .. End - 1.</summary>
    public int Begin;
    public int End;

    /// <summary>Of the tile of 16, the last included.</summary>
    public int FirstRow;
    public int LastRow;

    public int Head;

    /// <summary>First of the lane's rows within a tile, 0 .. 7; the other is the eighth after it.</summary>
    public int TileRow;

    /// <summary>Which of the four lanes of a row.</summary>
    public int Lane;

    /// <summary>First of the lane's columns within a tile.</summary>
    public int Column;

    /// <param name="tiles">(tiles, 3): the molecule's first row and its end, the tile's first row</param>
    /// <param name="heads">Of the model.</param>
    public static MatrixPlace Find(ArrayView<int> tiles, int heads)
    {
        int group = Grid.IdxX / heads, lane = Group.IdxX & 31, count = tiles.IntLength / 3;
        int wanted = group * (Group.DimX >> 5) + (Group.IdxX >> 5), tile = AttentionPlace.Min(wanted, count - 1);
        int firstRow = tiles[3 * tile + 2], end = tiles[3 * tile + 1];
        return new MatrixPlace
        {
            Active = wanted < count,
            Begin = tiles[3 * tile],
            End = end,
            FirstRow = firstRow,
            LastRow = AttentionPlace.Min(firstRow + FragmentLayout.Size, end) - 1,
            Head = Grid.IdxX - group * heads,
            TileRow = FragmentLayout.Row(lane),
            Lane = FragmentLayout.Place(lane),
            Column = FragmentLayout.Column(lane),
        };
    }
}
