using System.Text.RegularExpressions;
using ChemScale.Kernels.Attention.TensorCores;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using ILGPU;
using NUnit.Framework;
using Group = ILGPU.Group;

namespace ChemScale.Tests.Kernels;

/// <summary>
/// The forms of the product against what the PTX ISA says of mma.m16n8k16: the emulated one by numbers, whose indices are written
/// down here once more from its text; the real one by the operands of its instructions.
/// </summary>
public partial class MatrixUnitTests
{
    [Test]
    public unsafe void The_product_has_the_fragments_of_the_instruction([Values] bool emulated)
    {
        // Small whole numbers: exact in bfloat16, and so are their sums in float32.
        var random = new Random(1);
        float[,] a = Whole(16, 16), b = Whole(16, 16), c = Whole(16, 16);
        var operands = new uint[32 * 8];
        var sums = new float[32 * 8];
        for (int lane = 0; lane < 32; lane++)
        {
            for (int i = 0; i < 8; i++) operands[8 * lane + i / 2] |= Bits(a[RowOfA(lane, i), ColumnOfA(lane, i)]) << 16 * (i % 2);
            for (int i = 0; i < 4; i++)
            {
                // The first instruction's columns are rows 0 to 7 of b, the second's rows 8 to 15; X and Z, Y and W are their registers.
                (int k, int n) = (RowOfB(lane, i), lane / 4);
                operands[8 * lane + 4 + 2 * (i / 2)] |= Bits(b[n, k]) << 16 * (i % 2);
                operands[8 * lane + 5 + 2 * (i / 2)] |= Bits(b[8 + n, k]) << 16 * (i % 2);
            }
            for (int i = 0; i < 8; i++) sums[8 * lane + i] = c[RowOfC(lane, i), ColumnOfC(lane, i)];
        }
        fixed (uint* operandsAt = operands)
        fixed (float* sumsAt = sums)
        {
            (KernelDevice device, KernelMethod kernel) = emulated
                ? ((KernelDevice)CpuDevice.Warps, KernelMethod.Of(Multiply<EmulatedMatrixUnit>))
                : (new PtxDevice(), KernelMethod.Of(Multiply<TensorCore>));
            device.Launch(kernel, new LaunchShape(1, 32, EmulatedMatrixUnit.SharedBytes),
                KernelArgument.Of(new DeviceArray<uint>((nint)operandsAt, operands.Length)),
                KernelArgument.Of(new DeviceArray<float>((nint)sumsAt, sums.Length)));
        }
        for (int lane = 0; lane < 32; lane++)
        {
            for (int i = 0; i < 8; i++)
            {
                (int row, int column) = (RowOfC(lane, i), ColumnOfC(lane, i));
                float expected = c[row, column] + Enumerable.Range(0, 16).Sum(k => a[row, k] * b[column, k]);
                Assert.That(sums[8 * lane + i], Is.EqualTo(expected), $"row {row}, column {column}");
            }
        }

        float[,] Whole(int rows, int columns)
        {
            var values = new float[rows, columns];
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++) values[i, j] = random.Next(-100, 100);
            return values;
        }

        // "row = groupID for ai where 0 <= i < 2 || 4 <= i < 6, groupID + 8 otherwise"
        static int RowOfA(int lane, int i) => i is 0 or 1 or 4 or 5 ? lane / 4 : lane / 4 + 8;

        // "col = (threadID_in_group * 2) + (i & 0x1) for ai where i < 4, ... + 8 where i >= 4"
        static int ColumnOfA(int lane, int i) => lane % 4 * 2 + (i & 1) + (i < 4 ? 0 : 8);

        // "row = (threadID_in_group * 2) + (i & 0x1) for bi where i < 2, ... + 8 where i >= 2; col = groupID"
        static int RowOfB(int lane, int i) => lane % 4 * 2 + (i & 1) + (i < 2 ? 0 : 8);

        // "row = groupID for ci where i < 2, groupID + 8 for i >= 2; col = (threadID_in_group * 2) + (i & 0x1)"; four of each instruction.
        static int RowOfC(int lane, int i) => i % 4 < 2 ? lane / 4 : lane / 4 + 8;

        static int ColumnOfC(int lane, int i) => lane % 4 * 2 + (i & 1) + (i < 4 ? 0 : 8);

        static uint Bits(float exact) => BitConverter.SingleToUInt32Bits(exact) >> 16;
    }

    [Test]
    public void The_instructions_get_the_registers_that_the_emulation_reads([Values("sm_80", "sm_90")] string architecture)
    {
        string text = KernelCompiler.Compile(KernelMethod.Of(Multiply<TensorCore>), architecture).Text;
        // What a register holds, and how many elements an address lies behind its array's first.
        Dictionary<string, string> names = [];
        Dictionary<string, int> offsets = [];
        List<string> products = [];
        var stored = new string[8];
        foreach (string line in text.Split('\n'))
        {
            if (Load().Match(line) is { Success: true } load)
                names[load.Groups[2].Value] = Name(load.Groups[1].Value, offsets[load.Groups[3].Value]);
            else if (Move().Match(line) is { Success: true } move)
                names[move.Groups[1].Value] = names.GetValueOrDefault(move.Groups[2].Value, "?");
            else if (Store().Match(line) is { Success: true } store)
                stored[offsets[store.Groups[1].Value]] = names[store.Groups[2].Value];
            else if (Next().Match(line) is { Success: true } next)
                offsets[next.Groups[1].Value] = int.Parse(next.Groups[2].ValueSpan);
            else if (Address().Match(line) is { Success: true } address)
                offsets[address.Groups[1].Value] = offsets.GetValueOrDefault(address.Groups[2].Value);
            else if (line.Contains("mma.sync", StringComparison.Ordinal))
                Multiply(line);
        }
        Assert.That(products, Is.EqualTo(new[] { "a0 a1 a2 a3 * b0 b2 + c0 c1 c2 c3", "a0 a1 a2 a3 * b1 b3 + c4 c5 c6 c7" }));
        Assert.That(stored, Is.EqualTo(Enumerable.Range(0, 8).Select(i => $"d{i}")));
        Assert.That(text, Does.Not.Contain(".local"));

        static string Name(string type, int index) => type == "f32" ? $"c{index}" : index < 4 ? $"a{index}" : $"b{index - 4}";

        void Multiply(string line)
        {
            string[] registers = [.. Register().Matches(line).Select(m => m.Value)];
            string[] operands = [.. registers.Select(r => names.GetValueOrDefault(r, "?"))];
            products.Add($"{string.Join(' ', operands[4..8])} * {string.Join(' ', operands[8..10])} + {string.Join(' ', operands[10..])}");
            for (int i = 0; i < 4; i++) names[registers[i]] = $"d{4 * (products.Count - 1) + i}";
        }
    }

    [Test]
    public void Kernels_hold_the_products_that_their_widths_need([Values(16, 32, 64, 128)] int width)
    {
        int blocks = width / 16;
        Assert.That(Count(MatrixAttentionKernels.Forward(typeof(TensorCore), width)), Is.EqualTo(2 * 2 * blocks));
        Assert.That(Count(MatrixAttentionKernels.BackwardQueries(typeof(TensorCore), width)), Is.EqualTo(2 * 3 * blocks));
        Assert.That(Count(MatrixAttentionKernels.BackwardKeys(typeof(TensorCore), width)), Is.EqualTo(2 * 4 * blocks));

        static int Count(KernelMethod kernel) =>
            KernelCompiler.Compile(kernel, "sm_90").Text.Split("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32").Length - 1;
    }

    [Test]
    public void Rounding_is_to_the_nearest_even_bfloat16()
    {
        Assert.That(EmulatedMatrixUnit.Pack(1, -2), Is.EqualTo(0xC0003F80));
        Assert.That(First(1 + 1f / 256), Is.EqualTo(1));
        Assert.That(First(1 + 3f / 256), Is.EqualTo(1 + 4f / 256));
        Assert.That(First(1 + 1.01f / 256), Is.EqualTo(1 + 2f / 256));
        Assert.That(First(float.MaxValue), Is.EqualTo(float.PositiveInfinity));
        Assert.That(First(float.NaN), Is.NaN);

        static float First(float x) => Fragment.First(EmulatedMatrixUnit.Pack(x, 0));
    }

    /// <summary>One product of a warp: eight registers of operands and eight sums a lane.</summary>
    private static void Multiply<TUnit>(ArrayView<uint> operands, ArrayView<float> sums)
        where TUnit : struct, IMatrixUnit
    {
        int at = 8 * Group.IdxX;
        var a = new Fragment { X = operands[at], Y = operands[at + 1], Z = operands[at + 2], W = operands[at + 3] };
        var b = new Fragment { X = operands[at + 4], Y = operands[at + 5], Z = operands[at + 6], W = operands[at + 7] };
        var sum = new Accumulator
        {
            Low0 = sums[at],
            Low1 = sums[at + 1],
            High0 = sums[at + 2],
            High1 = sums[at + 3],
            Low8 = sums[at + 4],
            Low9 = sums[at + 5],
            High8 = sums[at + 6],
            High9 = sums[at + 7],
        };
        sum = TUnit.MultiplyAdd(sum, a, b);
        sums[at] = sum.Low0;
        sums[at + 1] = sum.Low1;
        sums[at + 2] = sum.High0;
        sums[at + 3] = sum.High1;
        sums[at + 4] = sum.Low8;
        sums[at + 5] = sum.Low9;
        sums[at + 6] = sum.High8;
        sums[at + 7] = sum.High9;
    }

    [GeneratedRegex(@"ld\.global\.([bf]32)\s+(%\w+),\s*\[(%\w+)\];")]
    private static partial Regex Load();

    [GeneratedRegex(@"st\.global\.f32\s+\[(%\w+)\],\s*(%\w+);")]
    private static partial Regex Store();

    [GeneratedRegex(@"add\.s32\s+(%\w+),\s*%\w+,\s*(\d+);")]
    private static partial Regex Next();

    // The product of index and size, or its sum with the array's address.
    [GeneratedRegex(@"(?:mul\.wide\.u32|add\.u64)\s+(%\w+),\s*(?:%\w+,\s*)??(%\w+)(?:,\s*4)?;")]
    private static partial Regex Address();

    [GeneratedRegex(@"mov\.[bf]32\s+(%\w+),\s*([%\w]+);")]
    private static partial Regex Move();

    [GeneratedRegex(@"%\w+")]
    private static partial Regex Register();
}
