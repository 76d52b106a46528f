namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// The lane's first pack of two in each of the four rows of memory that are its columns of a transposed fragment: those of
/// <see cref="FragmentLayout.Column"/>, and the first, eighth and ninth after it.
/// </summary>
internal struct TransposedRows
{
    public int Row0;
    public int Row1;
    public int Row8;
    public int Row9;

    /// <param name="place">Of the lane.</param>
    /// <param name="first">First of the 16 rows.</param>
    /// <param name="last">Last that there is: those behind stand for it.</param>
    /// <param name="rowPacks">Packs of two of a row.</param>
    /// <param name="column">First of the head.</param>
    public static TransposedRows Of(MatrixPlace place, int first, int last, int rowPacks, int column)
    {
        int row = first + place.Column, at = column + place.TileRow;
        return new TransposedRows
        {
            Row0 = AttentionPlace.Min(row, last) * rowPacks + at,
            Row1 = AttentionPlace.Min(row + 1, last) * rowPacks + at,
            Row8 = AttentionPlace.Min(row + 8, last) * rowPacks + at,
            Row9 = AttentionPlace.Min(row + 9, last) * rowPacks + at,
        };
    }

    public readonly TransposedRows Ahead(int packs) =>
        new() { Row0 = Row0 + packs, Row1 = Row1 + packs, Row8 = Row8 + packs, Row9 = Row9 + packs };
}
