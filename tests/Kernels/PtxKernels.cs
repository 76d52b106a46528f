using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using ILGPU;

namespace ChemScale.Tests.Kernels;

/// <summary>Kernels and texts for the interpreter: right ones, and one for each fault that it must find.</summary>
internal static class PtxKernels
{
    public static void Integers(ArrayView<int> a, ArrayView<int> b, ArrayView<long> c, ArrayView<int> narrow, ArrayView<long> wide)
    {
        for (int i = Grid.GlobalIndex.X; i < a.IntLength; i += Grid.DimX * Group.DimX)
        {
            int x = a[i], y = b[i] == 0 ? 7 : b[i], s = b[i] & 31;
            int sum = x / y + x % y - (x << s) + (x >> s) + (int)((uint)x >> s) + (x > y ? x * y : x <= b[i] ? -y : y | x);
            sum += (int)((uint)x / ((uint)y | 1)) + (x != y && (uint)x < (uint)y ? 1 : 2);
            narrow[i] = sum;
            long z = c[i];
            wide[i] = (z << s) - (z >> (s + 20)) + (long)((ulong)z >> (s + 20)) + (z < x ? z | (long)(uint)x : z - y) + (z == wide[i] ? 5 : z >= y ? 1L + x : -2);
        }
    }

    public static void Floats(ArrayView<float> a, ArrayView<double> b, ArrayView<float> narrow, ArrayView<double> wide, ArrayView<int> whole)
    {
        for (int i = Grid.GlobalIndex.X; i < a.IntLength; i += Grid.DimX * Group.DimX)
        {
            float x = a[i];
            double y = b[i];
            narrow[i] = x < 0 ? -x / 3 : x <= 1 ? 1 / (x + 2) : x >= 8 ? x - 1 : x > 2 ? x : whole[i];
            wide[i] = y < 0 ? -y / 3 : y <= 1 ? 1 / (y + 2) : y >= 8 ? y - 1 : y > 2 ? y : whole[i];
            // Comparisons that NaN must fail, and their opposites that it must pass.
            whole[i] = (int)x + (int)y + (!(x < 1) ? 16 : 0) + (!(y > 1) ? 32 : 0) + (!(x <= 3) ? 64 : 0) + (!(y >= 3) ? 128 : 0);
        }
    }

    /// <summary>Steps to one by halving and tripling: every lane leaves its loops at its own time.</summary>
    public static void Parting(ArrayView<int> starts, ArrayView<int> steps)
    {
        for (int i = Grid.GlobalIndex.X; i < starts.IntLength; i += Grid.DimX * Group.DimX)
        {
            int taken = 0;
            for (int start = starts[i]; start > starts[i] - 3; start--)
            {
                int n = start;
                while (n > 1)
                {
                    taken++;
                    if (n % 2 == 0)
                    {
                        n /= 2;
                        continue;
                    }
                    if (n % 7 == 3 && taken > 40) break;
                    n = 3 * n + 1;
                }
            }
            steps[i] = taken;
        }
    }

    /// <summary>Each group's sum of what its threads hold: within warps by shuffles, between them by shared memory.</summary>
    public static void GroupSums(ArrayView<int> values, ArrayView<int> sums)
    {
        ArrayView<int> shared = SharedMemory.GetDynamic<int>();
        int sum = values[Grid.GlobalIndex.X];
        sum += Warp.ShuffleXor(sum, 16);
        sum += Warp.ShuffleXor(sum, 8);
        sum += Warp.ShuffleXor(sum, 4);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 1);
        if (Group.IdxX % 32 == 0) shared[Group.IdxX / 32] = sum;
        Group.Barrier();
        if (Group.IdxX != 0) return;
        int total = 0;
        for (int w = 0; w < Group.DimX / 32; w++) total += shared[w];
        sums[Grid.IdxX] = total;
    }

    public static void ProductSum(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, ArrayView<float> sums)
    {
        int i = Grid.GlobalIndex.X;
        sums[i] = a[i] * b[i] + c[i];
    }

    public static void OneTooFar(ArrayView<int> x, ArrayView<int> y) => y[Grid.GlobalIndex.X] = x[Grid.GlobalIndex.X + 1];

    public static void WritesTooFar(ArrayView<int> x) => x[Grid.GlobalIndex.X - 1] = 1;

    public static void Quotients(ArrayView<int> x, ArrayView<int> y) => y[Grid.GlobalIndex.X] = 12 / x[Grid.GlobalIndex.X];

    public static void ReadsUnwritten(ArrayView<int> x)
    {
        ArrayView<int> shared = SharedMemory.GetDynamic<int>();
        if (Group.IdxX != 5) shared[Group.IdxX] = 1;
        Group.Barrier();
        x[Grid.GlobalIndex.X] = shared[Group.IdxX];
    }

    public static void SharedRace(ArrayView<int> x)
    {
        ArrayView<int> shared = SharedMemory.GetDynamic<int>();
        shared[Group.IdxX] = Group.IdxX;
        // A barrier is missing.
        x[Grid.GlobalIndex.X] = shared[Beside(Group.IdxX)];
    }

    public static void SharedOverwritten(ArrayView<int> x)
    {
        ArrayView<int> shared = SharedMemory.GetDynamic<int>();
        shared[Group.IdxX] = Group.IdxX;
        Group.Barrier();
        x[Grid.GlobalIndex.X] = shared[Beside(Group.IdxX)];
        // Another one.
        shared[Group.IdxX] = 0;
    }

    public static void SharedTooSmall(ArrayView<int> x)
    {
        ArrayView<int> shared = SharedMemory.GetDynamic<int>();
        shared[Group.IdxX + 1] = 1;
        x[Grid.GlobalIndex.X] = 1;
    }

    /// <summary>Adds to what it is to write.</summary>
    public static void AddsToItsOutput(ArrayView<int> x, [Written] ArrayView<int> y) => y[Grid.GlobalIndex.X] += x[Grid.GlobalIndex.X];

    public static void WritesHalf([Written] ArrayView<int> x)
    {
        if (Grid.GlobalIndex.X % 2 == 0) x[Grid.GlobalIndex.X] = 1;
    }

    public static void Copies(ArrayView<int> x, [Written] ArrayView<int> y) => y[Grid.GlobalIndex.X] = x[Grid.GlobalIndex.X];

    private static int Beside(int thread) => thread / 2 * 2 + 1 - thread % 2;

    /// <summary>All write the same number: still nobody's.</summary>
    public static void AllWriteOne(ArrayView<int> x) => x[0] = 1;

    public static void ReadsOfAnotherGroup(ArrayView<int> x)
    {
        x[Grid.GlobalIndex.X] = 1;
        Group.Barrier();
        x[Grid.GlobalIndex.X] += x[(Grid.GlobalIndex.X + Group.DimX) % x.IntLength];
    }

    public static void HalfABarrier(ArrayView<int> x)
    {
        if (x[Group.IdxX] > 0) Group.Barrier();
        x[Group.IdxX] = 1;
    }

    public static void HalfAShuffle(ArrayView<int> x)
    {
        int i = Group.IdxX, value = x[i];
        if (value > 0) x[i] = Warp.ShuffleXor(value, 1);
    }

    /// <summary>What bins once did with periodic cells: 5 would become 1.</summary>
    public static void MergedTruths(ArrayView<double> planes, ArrayView<int> counts, ArrayView<int> ranges)
    {
        int i = Grid.GlobalIndex.X;
        int range = ranges[i], count = counts[i];
        bool periodic = planes[i] > 0;
        ranges[i] = periodic ? range : count > 1 ? 1 : 0;
    }

    /// <summary>Truth values as numbers, with nothing else beside them.</summary>
    public static void Truths(ArrayView<double> planes, ArrayView<int> counts, ArrayView<int> ranges)
    {
        int i = Grid.GlobalIndex.X;
        ranges[i] = (planes[i] > 0 ? 1 : 0) + (counts[i] != 0 ? 1 : 0);
    }

    /// <summary>A kernel of one array of integers, as it is written: %rd1 is its address, %r1 the thread's number, %p1 true from the 17th on.</summary>
    public static PtxProgram Text(params string[] body) => new("Text", $$"""
        .version 7.8
        .target sm_90
        .address_size 64

        .visible .entry Text(
        	.param .align 8 .b8 _x_1[16]
        )
        {
        	.reg .pred	%p<9>;
        	.reg .b32	%r<20>;
        	.reg .b64	%rd<9>;
        	.reg .f32	%f<9>;

        	ld.param.b64	%rd1, [_x_1];
        	mov.b32	%r1, %tid.x;
        	mul.wide.u32	%rd2, %r1, 4;
        	add.u64	%rd2, %rd1, %rd2;
        	setp.gt.s32	%p1, %r1, 16;
        	mov.b32	%r2, 1;
        {{string.Join('\n', body)}}
        	ret;
        }

        """);
}
