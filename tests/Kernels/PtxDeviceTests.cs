using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Ptx;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

/// <summary>The interpreter computes what the CPU does, and finds every fault that it is there to find.</summary>
public unsafe class PtxDeviceTests
{
    private const int Threads = 2 * 96;

    private static readonly PtxDevice Device = new() { Multiprocessors = 1 };

    private readonly Random random = new(1);

    [Test]
    public void Integers_are_those_of_the_cpu_to_the_bit()
    {
        int[] ends = [0, 1, -1, 2, 3, int.MaxValue, int.MinValue, 100, -100];
        int[] a = [.. ends.SelectMany(_ => ends), .. Many(500, () => random.Next(int.MinValue, int.MaxValue))];
        int[] b = [.. ends.SelectMany(e => ends.Select(_ => e)), .. Many(500, () => random.Next(-50, 50))];
        // Its quotient overflows: a CPU refuses it.
        for (int i = 0; i < a.Length; i++) if (a[i] == int.MinValue && b[i] == -1) a[i] = 17;
        long[] c = [.. a.Select((x, i) => ((long)x << i % 33) ^ b[i])];
        (int[] narrow, long[] wide) found = Run(Device), expected = Run(CpuDevice.Scalar);
        Assert.That(found.narrow, Is.EqualTo(expected.narrow));
        Assert.That(found.wide, Is.EqualTo(expected.wide));

        (int[], long[]) Run(KernelDevice device)
        {
            int[] narrow = new int[a.Length];
            long[] wide = [.. c.Select((z, i) => i % 3 == 0 ? z : 0)];
            fixed (int* atA = a, atB = b, atNarrow = narrow)
            fixed (long* atC = c, atWide = wide)
            {
                device.Launch(KernelMethod.Of(PtxKernels.Integers), device.Cover(Threads, 96),
                    Of(atA, a.Length), Of(atB, a.Length), Of(atC, a.Length), Of(atNarrow, a.Length), Of(atWide, a.Length));
            }
            return (narrow, wide);
        }
    }

    [Test]
    public void Floating_point_is_that_of_the_cpu_to_the_bit()
    {
        double[] ends = [0, -0.0, 1, -1, 2, 8, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e300, -1e300, 1e-310, 3e9, -3e9, 1e-42];
        double[] b = [.. ends.SelectMany(_ => ends), .. Many(400, () => 40 * (random.NextDouble() - 0.5))];
        float[] a = [.. ends.SelectMany(e => ends.Select(_ => (float)e)), .. b.Skip(ends.Length * ends.Length).Select((y, i) => i % 5 == 0 ? (float)y : (float)(y * y - 3))];
        (float[] narrow, double[] wide, int[] whole) found = Run(Device), expected = Run(CpuDevice.Scalar);
        Assert.That(found.narrow.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected.narrow.Select(BitConverter.SingleToInt32Bits)));
        Assert.That(found.wide.Select(BitConverter.DoubleToInt64Bits), Is.EqualTo(expected.wide.Select(BitConverter.DoubleToInt64Bits)));
        Assert.That(found.whole, Is.EqualTo(expected.whole));

        (float[], double[], int[]) Run(KernelDevice device)
        {
            float[] narrow = new float[a.Length];
            double[] wide = new double[a.Length];
            int[] whole = [.. Enumerable.Range(-100, a.Length)];
            fixed (float* atA = a, atNarrow = narrow)
            fixed (double* atB = b, atWide = wide)
            fixed (int* atWhole = whole)
            {
                device.Launch(KernelMethod.Of(PtxKernels.Floats), device.Cover(Threads, 96),
                    Of(atA, a.Length), Of(atB, a.Length), Of(atNarrow, a.Length), Of(atWide, a.Length), Of(atWhole, a.Length));
            }
            return (narrow, wide, whole);
        }
    }

    [Test]
    public void Lanes_that_part_meet_again()
    {
        int[] starts = [.. Enumerable.Range(0, 500).Select(i => i * i % 1009)];
        int[] found = Run(Device), expected = Run(CpuDevice.Scalar);
        Assert.That(found, Is.EqualTo(expected));
        Expect.Above(found.Distinct().Count(), 50);

        int[] Run(KernelDevice device)
        {
            int[] steps = new int[starts.Length];
            fixed (int* from = starts, to = steps)
                device.Launch(KernelMethod.Of(PtxKernels.Parting), device.Cover(Threads, 96), Of(from, starts.Length), Of(to, starts.Length));
            return steps;
        }
    }

    [Test]
    public void Groups_share_memory_and_warps_registers([Values(1, 3)] int workers)
    {
        var device = new PtxDevice { Checks = workers == 1, Workers = workers };
        int[] values = [.. Many(7 * 96, () => random.Next(1000))], sums = new int[7];
        fixed (int* from = values, to = sums)
            device.Launch(KernelMethod.Of(PtxKernels.GroupSums), new LaunchShape(7, 96, 3 * sizeof(int)), Of(from, values.Length), Of(to, sums.Length));
        Assert.That(sums, Is.EqualTo(values.Chunk(96).Select(chunk => chunk.Sum())));
        Expect.Above(device.Instructions, 7 * 3 * 20);
    }

    [Test]
    public void Products_are_fused_with_sums_as_asked()
    {
        float[] a = [.. Many(96, () => random.NextSingle())], b = [.. Many(96, () => random.NextSingle())], c = [.. a.Zip(b, (x, y) => -(x * y))];
        float[] each = Run(PtxRounding.Each), fused = Run(PtxRounding.Fused);
        Assert.That(each, Is.All.Zero);
        Assert.That(fused, Is.EqualTo(a.Select((x, i) => MathF.FusedMultiplyAdd(x, b[i], c[i]))));
        Expect.Above(fused.Count(x => x != 0), 48);
        // A product and four sums of it, some fused and some not, by the seed alone.
        string[] sums = [.. Enumerable.Range(3, 4).Select(r => $"add.f32 %f{r}, %f1, %f2;")];
        Assert.That(Opcodes(PtxRounding.Each, 1), Has.None.EqualTo("fma.rn.f32"));
        Assert.That(Opcodes(PtxRounding.Fused, 1).Count(o => o == "fma.rn.f32"), Is.EqualTo(4));
        Assert.That(Enumerable.Range(1, 6).Select(seed => Opcodes(PtxRounding.Mixed, seed).Count(o => o == "fma.rn.f32")).Distinct().Count(), Is.Not.EqualTo(1));
        string[][] twice = [.. Enumerable.Range(0, 2).Select(_ => Opcodes(PtxRounding.Mixed, 2).ToArray())];
        Assert.That(twice[1], Is.EqualTo(twice[0]));
        // Nothing is fused that the text rounds, nor once an operand is gone.
        Assert.That(Contracted("mul.rn.f32 %f1, %f2, %f3;", "add.rn.f32 %f4, %f1, %f2;"), Is.False);
        Assert.That(Contracted("mul.f32 %f1, %f2, %f3;", "mov.f32 %f3, %f5;", "add.f32 %f4, %f1, %f2;"), Is.False);
        Assert.That(Contracted("mul.f32 %f1, %f2, %f3;", "L_1:", "add.f32 %f4, %f1, %f2;"), Is.False);
        Assert.That(Contracted("mul.f32 %f1, %f2, %f3;", "sub.f32 %f4, %f2, %f1;"), Is.True);

        float[] Run(PtxRounding rounding)
        {
            float[] result = new float[96];
            var device = new PtxDevice { Rounding = rounding };
            fixed (float* atA = a, atB = b, atC = c, to = result)
                device.Launch(KernelMethod.Of(PtxKernels.ProductSum), new LaunchShape(3, 32), Of(atA, 96), Of(atB, 96), Of(atC, 96), Of(to, 96));
            return result;
        }

        string[] Opcodes(PtxRounding rounding, int seed) =>
            [.. PtxContraction.Apply(Read(["mul.f32 %f1, %f7, %f8;", .. sums]), rounding, seed).Select(line => line.Opcode)];

        static bool Contracted(params string[] body) =>
            PtxContraction.Apply(Read(body), PtxRounding.Fused, 1).Any(line => line.Opcode.StartsWith("fma", StringComparison.Ordinal));

        static PtxText Read(string[] body) => new("Text", $".visible .entry Text(\n)\n{{\n.reg .f32 %f<9>;\n{string.Join('\n', body)}\nret;\n}}\n");
    }

    private static IEnumerable<TestCaseData> Faults()
    {
        (string, string, Action<PtxDevice>)[] cases =
        [
            ("a read past the end", "an address in no array, 256 bytes into the nearest of 256", On(PtxKernels.OneTooFar, 64, 64)),
            ("a write before the start", "an address in no array", On(PtxKernels.WritesTooFar, 64)),
            ("an address that is not aligned", "is no multiple of 16", device => Array(32, at => device.Launch(KernelMethod.Of(BadKernels.Good),
                new LaunchShape(1, 2), KernelArgument.Of(new DeviceArray<float>(at + 4, 8).As<Pack4<float>>())))),
            ("shared memory past its end", "byte 256 of 256 of shared memory", On(PtxKernels.SharedTooSmall, 64)),
            ("a division by zero", "division by zero in lane 0", On(PtxKernels.Quotients, 64, 64)),
            ("shared memory that nobody wrote", "thread 5: the word was never written", On(PtxKernels.ReadsUnwritten, 64)),
            ("an output that is read", "thread 0: the word was never written", On(PtxKernels.AddsToItsOutput, 64, 64)),
            ("what an earlier kernel left out", "thread 1: the word was never written", device => Array(256, at =>
            {
                (KernelArgument half, KernelArgument copy) = (KernelArgument.Of(new DeviceArray<int>(at, 64)), KernelArgument.Of(new DeviceArray<int>(at + 512, 64)));
                device.Launch(KernelMethod.Of(PtxKernels.WritesHalf), new LaunchShape(1, 64), half);
                device.Launch(KernelMethod.Of(PtxKernels.Copies), new LaunchShape(1, 64), half, copy);
            })),
            ("shared memory read while it is written", "is written by another thread at the same time", On(PtxKernels.SharedRace, 64)),
            ("shared memory written while it is read", "is read by another thread at the same time", On(PtxKernels.SharedOverwritten, 64)),
            ("a number that all write", "is written by another thread too", On(PtxKernels.AllWriteOne, 64)),
            ("a number of another group", "is read by another thread", On(PtxKernels.ReadsOfAnotherGroup, 128)),
            ("a barrier that some lanes miss", "lanes are missing: 15 of 32", Half(PtxKernels.HalfABarrier)),
            ("a shuffle that some lanes miss", "lanes are missing: 15 of 32", Half(PtxKernels.HalfAShuffle)),
            ("a matrix product that some lanes miss", "lanes are missing: 15 of 32", Text("@%p1 mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                + "{%f1, %f2, %f3, %f4}, {%r2, %r2, %r2, %r2}, {%r2, %r2}, {%f1, %f2, %f3, %f4};")),
            ("a shuffle after lanes have left", "lanes are missing: 17 of 32", Text("@%p1 ret;", "shfl.sync.bfly.b32 %r3, %r1, 1, 31, 4294967295;")),
            ("a barrier after lanes have left", "lanes are missing: 17 of 32", Text("@%p1 ret;", "bar.sync 0;")),
            ("a barrier after a warp has left", "warp 1 has left", Text("setp.ge.s32 %p2, %r1, 32;", "@%p2 bra L_end;", "bar.sync 0;", "L_end:")),
            ("two barriers at a time", "warp 1 waits at another barrier",
                Text("setp.ge.s32 %p2, %r1, 32;", "@%p2 bra L_other;", "bar.sync 0;", "bra.uni L_end;", "L_other:", "bar.sync 0;", "L_end:")),
            ("a branch whose lanes disagree", "lanes differ at a branch", Text("@%p1 bra.uni L_end;", "mov.b32 %r2, 3;", "L_end:")),
            ("an address of no space", "an address in no array", Text("mov.b64 %rd4, 8;", "ld.b64 %rd5, [%rd4];")),
            ("a word in halves", "is written by another thread too", Text("add.u64 %rd4, %rd1, 0;", "shr.s32 %r4, %r1, 1;", "mul.wide.u32 %rd5, %r4, 4;",
                "add.u64 %rd5, %rd5, %rd4;", "st.global.b32 [%rd5], %r1;")),
        ];
        return cases.Select(c => new TestCaseData(c.Item2, c.Item3).SetArgDisplayNames(c.Item1));

        static Action<PtxDevice> On(Delegate kernel, params int[] lengths) => device => Array(lengths.Sum() + 16 * lengths.Length, at =>
        {
            // A little apart, so that beyond one is not yet in the next.
            KernelArgument[] arguments = [.. lengths.Select((length, i) => KernelArgument.Of(new DeviceArray<int>(at + 4 * (lengths[..i].Sum() + 16 * i), length)))];
            device.Launch(KernelMethod.Of(kernel), new LaunchShape(lengths[0] / 64, 64, 256), arguments);
        });

        // Fifteen lanes of the first warp have a number above zero.
        static Action<PtxDevice> Half(Delegate kernel) => device => Array(64, at =>
        {
            for (int i = 17; i < 64; i++) ((int*)at)[i] = 1;
            device.Launch(KernelMethod.Of(kernel), new LaunchShape(1, 64), KernelArgument.Of(new DeviceArray<int>(at, 64)));
        });
    }

    private static Action<PtxDevice> Text(params string[] body) => device =>
        Array(64, at => device.Run(PtxKernels.Text(body), new LaunchShape(1, 64), KernelArgument.Of(new DeviceArray<int>(at, 64))));

    [TestCaseSource(nameof(Faults))]
    public void A_fault_is_found_and_its_instruction_named(string message, Delegate launch)
    {
        KernelException e = Assert.Throws<KernelException>(() => ((Action<PtxDevice>)launch)(Device))!;
        Assert.That(e.Fault, Is.EqualTo(KernelFault.LaunchFailed));
        Assert.That(e.Message, Does.Contain(message).And.Match(@"kernel \S+, PTX line \d+: "));
    }

    [Test]
    public void Texts_without_a_fault_run()
    {
        int[] x = new int[64];
        fixed (int* at = x)
        {
            Device.Run(PtxKernels.Text("@%p1 bra L_1;", "mov.b32 %r2, 5;", "L_1:", "bar.sync 0;", "st.global.b32 [%rd2], %r2;"),
                new LaunchShape(1, 64), Of(at, 64));
        }
        Assert.That(x, Is.EqualTo(Enumerable.Range(0, 64).Select(i => i > 16 ? 1 : 5)));
    }

    /// <summary>Of thread t: what comes of it. %r1 is t, %p1 holds from 17 on.</summary>
    private static IEnumerable<TestCaseData> Steps()
    {
        yield return Of("the sum alone reads it", t => 3 * t + 5, "mul.lo.s32 %r3, %r1, 3;", "add.s32 %r4, %r3, 5;");
        yield return Of("it is read again", t => 6 * t + 5, "mul.lo.s32 %r3, %r1, 3;", "add.s32 %r4, %r3, 5;", "add.s32 %r4, %r4, %r3;");
        yield return Of("it is read on another way", t => t > 16 ? 3 * t : 3 * t + 5, "mul.lo.s32 %r3, %r1, 3;", "add.s32 %r4, %r3, 5;", "@!%p1 bra L_1;",
            "mov.b32 %r4, %r3;", "L_1:");
        yield return Of("it is read twice at once", t => 6 * t, "mul.lo.s32 %r3, %r1, 3;", "add.s32 %r4, %r3, %r3;");
        yield return Of("some lanes keep what it was", t => t > 16 ? 3 * t : 7, "mov.b32 %r3, 7;", "@%p1 mul.lo.s32 %r3, %r1, 3;", "add.s32 %r4, %r3, 0;");
        yield return Of("some lanes make it", t => t > 16 ? 3 * t + 5 : 7, "mov.b32 %r4, 7;", "@!%p1 bra L_1;", "mul.lo.s32 %r3, %r1, 3;", "add.s32 %r4, %r3, 5;", "L_1:");
        yield return Of("the sum takes its place", t => 9 * t + 20, "mul.lo.s32 %r3, %r1, 3;", "add.s32 %r3, %r3, 5;", "mul.lo.s32 %r4, %r3, 3;", "add.s32 %r4, 5, %r4;");
        yield return Of("the next round reads it", t => 3 * t + 6, "mov.b32 %r3, 0;", "mov.b32 %r5, 0;", "L_1:", "add.s32 %r4, %r3, 5;", "mul.lo.s32 %r3, %r1, 3;",
            "add.s32 %r6, %r3, 1;", "add.s32 %r5, %r5, 1;", "setp.lt.s32 %p2, %r5, 4;", "@%p2 bra L_1;", "sub.s32 %r7, %r6, %r3;", "add.s32 %r4, %r4, %r7;");
        yield return Of("differences have an order", t => 100 - 3 * t - (3 * t - 100), "mul.lo.s32 %r3, %r1, 3;", "sub.s32 %r4, 100, %r3;", "sub.s32 %r5, %r3, 100;",
            "sub.s32 %r4, %r4, %r5;");
        yield return Of("an address", t => 1, "mul.wide.u32 %rd4, %r1, 4;", "add.u64 %rd5, %rd1, %rd4;", "st.global.b32 [%rd5], %r2;", "ld.global.b32 %r4, [%rd5];");

        static TestCaseData Of(string name, Func<int, int> expected, params string[] body) => new TestCaseData(body, expected).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Steps))]
    public void Two_instructions_that_are_one_step_leave_what_each_would(string[] body, Func<int, int> expected)
    {
        // The last group's second warp has lanes missing.
        int[] x = new int[50];
        fixed (int* at = x) new PtxDevice().Run(PtxKernels.Text([.. body, "st.global.b32 [%rd2], %r4;"]), new LaunchShape(1, 50), Of(at, 50));
        Assert.That(x, Is.EqualTo(Enumerable.Range(0, 50).Select(expected)));
    }

    [Test]
    public void What_the_interpreter_does_not_know_is_refused_by_name()
    {
        Refused("does not know add.cc.s32", "add.cc.s32 %r3, %r1, %r2;");
        Refused("does not know ld.global.nc.f32", "ld.global.nc.f32 %f1, [%rd1];");
        Refused("does not know bar.red.popc.u32", "bar.red.popc.u32 %r3, 0, %p1;");
        Refused("does not know shfl.sync.up.b32", "shfl.sync.up.b32 %r3, %r1, 1, 31, 4294967295;");
        Refused("%q1 is not declared", "mov.b32 %q1, 1;");
        Refused("no such label", "bra L_nowhere;");
        Refused("registers of type b16", ".reg .b16 %h<2>;");
        // A slot of local memory that should have become a register.
        Refused(": .local .align 4 .b8 __local_1[4];", ".local .align 4 .b8 __local_1[4];");

        static void Refused(string message, string line) =>
            Assert.That(() => PtxKernels.Text(line), Throws.TypeOf<KernelException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));
    }

    [Test]
    public void More_shared_memory_than_a_device_has_is_refused() => Array(64, at => Assert.That(
        () => Device.Launch(KernelMethod.Of(PtxKernels.SharedRace), new LaunchShape(1, 64, 1 << 18), KernelArgument.Of(new DeviceArray<int>(at, 64))),
        Throws.TypeOf<KernelException>().With.Message.Contains("262,144 bytes of shared memory of 232,448").And.Message.Not.Contains("\n")));

    [Test]
    public void A_larger_group_than_the_text_says_is_refused() => Array(64, at => Assert.That(
        () => Device.Launch(KernelMethod.Of(PtxKernels.SharedRace), new LaunchShape(1, 288, 2048), KernelArgument.Of(new DeviceArray<int>(at, 64))),
        Throws.TypeOf<KernelException>().With.Message.Contains("groups of 288 threads; at most 256").And.Message.Not.Contains("\n")));

    [Test]
    public void An_integer_that_would_become_a_truth_value_does_not_compile()
    {
        KernelException e = Assert.Throws<KernelException>(() => KernelCompiler.Compile(KernelMethod.Of(PtxKernels.MergedTruths), "sm_90"))!;
        Assert.That(e.Message, Does.Contain("PtxKernels.MergedTruths").And.Contain("an integer becomes a truth value"));
        Assert.That(() => KernelCompiler.Compile(KernelMethod.Of(PtxKernels.Truths), "sm_90"), Throws.Nothing);
    }

    private static void Array(int length, Action<nint> use)
    {
        // As vectors want it, and with nothing of this test's beside it.
        int[] x = GC.AllocateArray<int>(length + 8, pinned: true);
        fixed (int* at = x) use(((nint)at + 15) & ~15);
    }

    private static KernelArgument Of<T>(T* at, int length)
        where T : unmanaged => KernelArgument.Of(new DeviceArray<T>((nint)at, length));

    private static IEnumerable<T> Many<T>(int count, Func<T> one) => Enumerable.Range(0, count).Select(_ => one());
}
