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
