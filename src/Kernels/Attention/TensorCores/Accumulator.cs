using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

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
