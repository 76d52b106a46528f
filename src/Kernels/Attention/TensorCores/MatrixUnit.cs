using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>What multiplies matrices of bfloat16 and adds in float32: a warp together, each lane with its share.</summary>
internal interface IMatrixUnit
{
    /// <summary>Dynamic shared memory that a warp needs for it.</summary>
    static abstract int SharedBytes { get; }

    /// <summary>Two numbers rounded to the nearest bfloat16, ties to even: the first in the low half.</summary>
    static abstract uint Pack(float first, float second);

    /// <summary>sum + a b^T, of 16 x 16 each. Every lane of the warp must reach it together.</summary>
    static abstract Accumulator MultiplyAdd(Accumulator sum, Fragment a, Fragment b);

    /// <summary>e^x, to 2^-20 of itself for x of 0 or less; 0 for minus infinity.</summary>
    static abstract float Exp(float x);
}

/// <summary>
/// A lane's share of 16 tokens' rows of one head, as bfloat16, in registers. Rows are found by the lane's first pack of its two tokens,
/// that of <see cref="FragmentLayout.Row"/> and the eighth after it.
/// </summary>
internal interface IFragments<TSelf>
    where TSelf : unmanaged, IFragments<TSelf>
{
    /// <summary>The head's width in sixteens.</summary>
    static abstract int Blocks { get; }

    static abstract TSelf Load<TUnit>(ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit;

    /// <summary>sum + a b^T: dot products of 16 tokens with 16 others, whose rows are in memory.</summary>
    static abstract Accumulator Product<TUnit>(Accumulator sum, TSelf a, ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit;

    /// <summary>The lane's part of the dot products of its two tokens with rows of float32: four lanes have the whole.</summary>
    static abstract Pack2<float> Dot(TSelf a, ArrayView<Pack4<float>> rows, int low, int high);
}

/// <summary>A lane's share of 16 tokens' sums over one head, in float32, in registers.</summary>
internal interface IAccumulators<TSelf>
    where TSelf : unmanaged, IAccumulators<TSelf>
{
    /// <summary>The head's width in sixteens.</summary>
    static abstract int Blocks { get; }

    static abstract TSelf Zero { get; }

    /// <summary>Each of the lane's two rows times its own factor.</summary>
    static abstract TSelf Scale(TSelf sum, float low, float high);

    /// <summary>sum + weights times the rows of 16 other tokens.</summary>
    static abstract TSelf Add<TUnit>(TSelf sum, Fragment weights, ArrayView<Pack2<float>> rows, TransposedRows at)
        where TUnit : struct, IMatrixUnit;

    /// <summary>Writes the lane's first row.</summary>
    /// <param name="rows">Where.</param>
    /// <param name="at">The lane's first pack there.</param>
    /// <param name="sum">What.</param>
    static abstract void StoreLow(ArrayView<Pack4<float>> rows, int at, TSelf sum);

    /// <summary>Writes the lane's other row.</summary>
    static abstract void StoreHigh(ArrayView<Pack4<float>> rows, int at, TSelf sum);
}

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

/// <summary>
/// A lane's share of a 16 x 16 matrix of bfloat16, two neighbours of a row to a register, the first in the low half; who holds what is
/// <see cref="FragmentLayout"/>'s. As a share of a head it is 16 of the head's numbers, of 16 tokens.
/// </summary>
internal struct Fragment : IFragments<Fragment>
{
    public uint X;
    public uint Y;
    public uint Z;
    public uint W;

    public static int Blocks => 1;

    /// <summary>Weights of 16 rows by 16 columns, as they lie in the sums of a product.</summary>
    public static Fragment Of<TUnit>(Accumulator sums)
        where TUnit : struct, IMatrixUnit => new()
        {
            X = TUnit.Pack(sums.Low0, sums.Low1),
            Y = TUnit.Pack(sums.High0, sums.High1),
            Z = TUnit.Pack(sums.Low8, sums.Low9),
            W = TUnit.Pack(sums.High8, sums.High9),
        };

    // A product sums over columns in any order: a lane takes four neighbours for the four columns that the layout gives it.
    public static Fragment Load<TUnit>(ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit
    {
        Pack4<float> a = rows[low], b = rows[high];
        return new Fragment { X = TUnit.Pack(a.X, a.Y), Y = TUnit.Pack(b.X, b.Y), Z = TUnit.Pack(a.Z, a.W), W = TUnit.Pack(b.Z, b.W) };
    }

    /// <summary>
    /// The transposed of 16 rows by 16 columns of memory: rows of the fragment are columns of memory. The lane's two rows are neighbours
    /// there, which the stores of <see cref="Accumulator"/> undo.
    /// </summary>
    public static Fragment LoadTransposed<TUnit>(ArrayView<Pack2<float>> rows, TransposedRows at)
        where TUnit : struct, IMatrixUnit
    {
        Pack2<float> a = rows[at.Row0], b = rows[at.Row1], c = rows[at.Row8], d = rows[at.Row9];
        return new Fragment { X = TUnit.Pack(a.X, b.X), Y = TUnit.Pack(a.Y, b.Y), Z = TUnit.Pack(c.X, d.X), W = TUnit.Pack(c.Y, d.Y) };
    }

    public static Accumulator Product<TUnit>(Accumulator sum, Fragment a, ArrayView<Pack4<float>> rows, int low, int high)
        where TUnit : struct, IMatrixUnit => TUnit.MultiplyAdd(sum, a, Load<TUnit>(rows, low, high));

    public static Pack2<float> Dot(Fragment a, ArrayView<Pack4<float>> rows, int low, int high)
    {
        Pack4<float> b = rows[low], c = rows[high];
        return new Pack2<float>
        {
            X = First(a.X) * b.X + Second(a.X) * b.Y + First(a.Z) * b.Z + Second(a.Z) * b.W,
            Y = First(a.Y) * c.X + Second(a.Y) * c.Y + First(a.W) * c.Z + Second(a.W) * c.W,
        };
    }

    /// <summary>The low half of a register as float32.</summary>
    public static float First(uint pair) => Interop.IntAsFloat(pair << 16);

    /// <summary>The high half of a register as float32.</summary>
    public static float Second(uint pair) => Interop.IntAsFloat(pair & 0xFFFF0000);
}

/// <summary>
/// A lane's share of 16 x 16 sums in float32, two rows by four columns, as <see cref="FragmentLayout"/> has them. As a share of a head's
/// sums, it is 16 of the head's numbers, of 16 tokens.
/// </summary>
internal struct Accumulator : IAccumulators<Accumulator>
{
    public float Low0;
    public float Low1;
    public float High0;
    public float High1;
    public float Low8;
    public float Low9;
    public float High8;
    public float High9;

    public static Accumulator Zero => default;

    public static int Blocks => 1;

    public static Accumulator Scale(Accumulator sum, float low, float high) => new()
    {
        Low0 = sum.Low0 * low,
        Low1 = sum.Low1 * low,
        High0 = sum.High0 * high,
        High1 = sum.High1 * high,
        Low8 = sum.Low8 * low,
        Low9 = sum.Low9 * low,
        High8 = sum.High8 * high,
        High9 = sum.High9 * high,
    };

    public static Accumulator Add<TUnit>(Accumulator sum, Fragment weights, ArrayView<Pack2<float>> rows, TransposedRows at)
        where TUnit : struct, IMatrixUnit => TUnit.MultiplyAdd(sum, weights, Fragment.LoadTransposed<TUnit>(rows, at));

    // Column n of the sums is column 2 n of memory, column n + 8 is column 2 n + 1.
    public static void StoreLow(ArrayView<Pack4<float>> rows, int at, Accumulator sum) =>
        rows[at] = new Pack4<float> { X = sum.Low0, Y = sum.Low8, Z = sum.Low1, W = sum.Low9 };

    public static void StoreHigh(ArrayView<Pack4<float>> rows, int at, Accumulator sum) =>
        rows[at] = new Pack4<float> { X = sum.High0, Y = sum.High8, Z = sum.High1, W = sum.High9 };
}

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
