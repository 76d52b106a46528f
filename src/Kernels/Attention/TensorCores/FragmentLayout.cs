namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// Which lane holds what in mma.m16n8k16 with bfloat16 operands (PTX ISA, "Matrix Fragments for mma.m16n8k16"), for two of them side by
/// side: sums (16, 16) += a (16, 16) b (16, 16)^T. A lane holds rows r and r + 8 with r = lane / 4, and in each the columns c, c + 1, c + 8
/// and c + 9 with c = 2 (lane mod 4). So do the sums. The first instruction takes rows 0 .. 7 of b and makes columns 0 .. 7 of the sums.
/// </summary>
internal static class FragmentLayout
{
    /// <summary>Rows and columns of a matrix.</summary>
    public const int Size = 16;

    /// <summary>Packs of four float32 in 16 numbers.</summary>
    public const int BlockPacks = 4;

    /// <summary>First of the lane's rows; the other is the eighth after it.</summary>
    public static int Row(int lane) => lane >> 2;

    /// <summary>Which of the four lanes of a row.</summary>
    public static int Place(int lane) => lane & 3;

    /// <summary>First of the lane's columns; the others are the first, eighth and ninth after it.</summary>
    public static int Column(int lane) => 2 * Place(lane);

    /// <summary>Lane that holds an element.</summary>
    public static int Lane(int row, int column) => (row & 7) << 2 | (column & 7) >> 1;

    /// <summary>Which of a <see cref="Fragment"/>'s registers, X to W, holds it.</summary>
    public static int Register(int row, int column) => (row >> 3) + 2 * (column >> 3);
}
