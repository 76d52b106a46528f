using System.Runtime.CompilerServices;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// The same product of the same fragments on the CPU's warps, through shared memory: which lane holds what is the instruction's, so a
/// kernel that takes a wrong index is wrong here too.
/// </summary>
[StandsFor(typeof(TensorCore))]
internal readonly struct EmulatedMatrixUnit : IMatrixUnit
{
    // a and b, four registers each.
    private const int Registers = 8;

    public static int SharedBytes => 32 * Registers * sizeof(uint);

    public static uint Pack(float first, float second) => Rounded(first) | Rounded(second) << 16;

    // A copy at each of a wide head's products would take the compiler long.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Accumulator MultiplyAdd(Accumulator sum, Fragment a, Fragment b)
    {
        ArrayView<uint> shared = SharedMemory.GetDynamic<uint>();
        int own = Registers * Group.IdxX, warp = Registers * (Group.IdxX & ~31);
        shared[own] = a.X;
        shared[own + 1] = a.Y;
        shared[own + 2] = a.Z;
        shared[own + 3] = a.W;
        shared[own + 4] = b.X;
        shared[own + 5] = b.Y;
        shared[own + 6] = b.Z;
        shared[own + 7] = b.W;
        Warp.Barrier();
        int row = FragmentLayout.Row(Group.IdxX & 31), column = FragmentLayout.Column(Group.IdxX & 31);
        sum.Low0 = Sum(sum.Low0, shared, warp, row, column);
        sum.Low1 = Sum(sum.Low1, shared, warp, row, column + 1);
        sum.High0 = Sum(sum.High0, shared, warp, row + 8, column);
        sum.High1 = Sum(sum.High1, shared, warp, row + 8, column + 1);
        sum.Low8 = Sum(sum.Low8, shared, warp, row, column + 8);
        sum.Low9 = Sum(sum.Low9, shared, warp, row, column + 9);
        sum.High8 = Sum(sum.High8, shared, warp, row + 8, column + 8);
        sum.High9 = Sum(sum.High9, shared, warp, row + 8, column + 9);
        Warp.Barrier();
        return sum;
    }

    public static float Exp(float x) => F32.Exp(x);

    private static float Sum(float sum, ArrayView<uint> shared, int warp, int row, int column)
    {
        for (int k = 0; k < FragmentLayout.Size; k++) sum += Element(shared, warp, row, k) * Element(shared, warp + 4, column, k);
        return sum;
    }

    private static float Element(ArrayView<uint> shared, int first, int row, int column)
    {
        uint pair = shared[Registers * FragmentLayout.Lane(row, column) + first + FragmentLayout.Register(row, column)];
        return (column & 1) == 0 ? Fragment.First(pair) : Fragment.Second(pair);
    }

    private static uint Rounded(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        // NaN, whose payload a carry must not turn into infinity.
        if ((bits & 0x7FFFFFFF) > 0x7F800000) return 0x7FFF;
        return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }
}
