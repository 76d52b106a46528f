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

/// <summary>A query as a column of weights: what the forward pass left of it.</summary>
internal struct QueryColumn
{
    private int query;
    private float greatest;
    private float inverse;

    public float Delta;

    /// <param name="query">The query.</param>
    /// <param name="last">Last that there is: those behind are hidden from every key.</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="head">Which.</param>
    /// <param name="greatest">(T, heads) m</param>
    /// <param name="inverse">(T, heads) 1 / l</param>
    /// <param name="delta">(T, heads) D</param>
    public static QueryColumn Of(
        int query, int last, int heads, int head, ArrayView<float> greatest, ArrayView<float> inverse, ArrayView<float> delta)
    {
        int statistic = AttentionPlace.Min(query, last) * heads + head;
        return new QueryColumn
        {
            // No key is behind a negative number.
            query = query <= last ? query : -1,
            greatest = greatest[statistic],
            inverse = inverse[statistic],
            Delta = delta[statistic],
        };
    }

    /// <summary>p of this query and a key, from their score.</summary>
    public readonly float Weight<TUnit>(float score, int key, int window)
        where TUnit : struct, IMatrixUnit
    {
        // Computed for hidden keys too: a choice is cheaper than a branch.
        float weight = TUnit.Exp(score - greatest) * inverse;
        return AttentionPlace.Sees(query, key, window) ? weight : 0;
    }
}
