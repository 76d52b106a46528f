using System.Runtime.CompilerServices;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>The tensor cores of NVIDIA devices from sm_80 on.</summary>
internal readonly struct TensorCore : IMatrixUnit
{
    public static int SharedBytes => 0;

    public static uint Pack(float first, float second)
    {
        CudaAsm.Emit("cvt.rn.bf16x2.f32 %0, %1, %2;", out uint pair, second, first);
        return pair;
    }

    // Two instructions: rows 0 to 7 of b make the left half of the sums, rows 8 to 15 the right one.
    public static Accumulator MultiplyAdd(Accumulator sum, Fragment a, Fragment b)
    {
        Ref<float> low0 = sum.Low0, low1 = sum.Low1, high0 = sum.High0, high1 = sum.High1;
        Ref<float> low8 = sum.Low8, low9 = sum.Low9, high8 = sum.High8, high9 = sum.High9;
        Input<uint> ax = a.X, ay = a.Y, az = a.Z, aw = a.W, bx = b.X, by = b.Y, bz = b.Z, bw = b.W;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%8, %9, %10, %11}, {%12, %14}, {%0, %1, %2, %3};\n"
            + "\tmma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%4, %5, %6, %7}, {%8, %9, %10, %11}, {%13, %15}, {%4, %5, %6, %7};",
            ref low0, ref low1, ref high0, ref high1, ref low8, ref low9, ref high8, ref high9,
            ref ax, ref ay, ref az, ref aw, ref bx, ref by, ref bz, ref bw);
        return new Accumulator
        {
            Low0 = low0.Value,
            Low1 = low1.Value,
            High0 = high0.Value,
            High1 = high1.Value,
            Low8 = low8.Value,
            Low9 = low9.Value,
            High8 = high8.Value,
            High9 = high9.Value,
        };
    }

    // The device's own power of two: its error is far below that of the weights' rounding.
    public static float Exp(float x)
    {
        CudaAsm.Emit("ex2.approx.ftz.f32 %0, %1;", out float power, x * 1.44269504f);
        return power;
    }
}

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
