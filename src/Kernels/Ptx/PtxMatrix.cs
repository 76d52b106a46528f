using System.Runtime.Intrinsics;

namespace ChemScale.Kernels.Ptx;

/// <summary>
/// mma.sync.m16n8k16 of bfloat16 with sums in float32: D = A B + C with A (16, 16), B (16, 8), spread over the lanes as the PTX ISA says under "Matrix
/// Fragments for mma.m16n8k16 with floating point type". A device adds in an order of its own.
/// </summary>
internal static unsafe class PtxMatrix
{
    public const string Opcode = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32";

    /// <summary>Registers of D, A, B, C in the instruction's group.</summary>
    public const int Operands = 4 + 4 + 2 + 4;

    private const int Rows = 16, Columns = 8, Depth = 16;

    public static void Multiply(PtxInstruction i, byte* file)
    {
        float* a = stackalloc float[Rows * Depth], b = stackalloc float[Depth * Columns], c = stackalloc float[Rows * Columns];
        for (int l = 0; l < PtxLanes.Count; l++)
        {
            int group = l / 4, within = l % 4;
            for (int r = 0; r < 4; r++)
            {
                // Registers in turn: rows of the upper and of the lower half, then the same of the columns from 8 on.
                int row = group + 8 * (r % 2), column = 2 * within + 8 * (r / 2);
                Halves(Register(4 + r, l), out a[row * Depth + column], out a[row * Depth + column + 1]);
                c[(group + 8 * (r / 2)) * Columns + 2 * within + r % 2] = BitConverter.UInt32BitsToSingle(Register(10 + r, l));
            }
            for (int r = 0; r < 2; r++)
            {
                int depth = 2 * within + 8 * r;
                Halves(Register(8 + r, l), out b[depth * Columns + group], out b[(depth + 1) * Columns + group]);
            }
        }
        for (int row = 0; row < Rows; row++)
        {
            Vector256<float> sum = Vector256.Load(c + row * Columns);
            for (int k = 0; k < Depth; k++) sum = Vector256.FusedMultiplyAdd(Vector256.Create(a[row * Depth + k]), Vector256.Load(b + k * Columns), sum);
            sum.Store(c + row * Columns);
        }
        for (int l = 0; l < PtxLanes.Count; l++)
            for (int r = 0; r < 4; r++) ((float*)(file + i.Group[r]))[l] = c[(l / 4 + 8 * (r / 2)) * Columns + 2 * (l % 4) + r % 2];

        uint Register(int operand, int lane) => ((uint*)(file + i.Group[operand]))[lane];
    }

    private static void Halves(uint pair, out float lower, out float upper)
    {
        lower = BitConverter.UInt32BitsToSingle(pair << 16);
        upper = BitConverter.UInt32BitsToSingle(pair & 0xFFFF0000);
    }
}
