using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

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
