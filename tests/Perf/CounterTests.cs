using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using ChemScale.Perf.Counting;
using ChemScale.Tests.House;
using ChemScale.Tests.Kernels;
using ChemScale.Tests.Operators;
using NUnit.Framework;

namespace ChemScale.Tests.Perf;

/// <summary>What kernels do is counted, weighted by what the assembler makes of it, and held by a table.</summary>
[Parallelizable(ParallelScope.Self)]
public class CounterTests : OperatorFixture
{
    private const string NewTable = "CHEMSCALE_COUNTERS";

    private static readonly string Table = Path.Combine(Repository.Root, "perf", "counters", "kernels.tsv");

    // Opcodes of each kernel's text as kernels/ptxas.tsv has assembled it, by their hash.
    private static readonly string Assembled = Path.Combine(Repository.Root, "perf", "counters", "assembled.tsv");

    private static IEnumerable<KernelVariant> Variants => KernelFamilies.Types.SelectMany(KernelFamilies.Variants);

    [Test]
    public void Weighted_static_counts_are_those_of_the_assembler()
    {
        string[][] rows = [.. File.ReadLines(ReferenceData.Require("kernels/ptxas.tsv")).Select(line => line.Split('\t'))];
        int total = Array.IndexOf(rows[0], "sass_total");
        Dictionary<string, double> known = rows.Skip(1).ToDictionary(r => r[0], r => double.Parse(r[total], CultureInfo.InvariantCulture));
        // A row of the assembler's is of a text: of kernels that have another one since, it says nothing.
        Dictionary<string, string> assembled = File.ReadLines(Assembled).Skip(1).Select(line => line.Split('\t')).ToDictionary(r => r[0], r => r[2]);
        PtxText[] texts = [.. Variants.Select(v => v.Kernel).Where(k => known.ContainsKey(k.Name)).Select(k => new PtxText(k.Name, PtxDevice.Module(k).Text))];
        PtxText[] same = [.. texts.Where(t => assembled.GetValueOrDefault(t.Name) == Opcodes(t))];
        TestContext.Out.WriteLine($"{same.Length} of {texts.Length} kernels have the text that was assembled");
        (string Name, double Error)[] errors = [.. same.Select(t => (t.Name, Costs.Table.Static(t) / known[t.Name] - 1)).OrderBy(e => Math.Abs(e.Item2))];
        TestContext.Out.WriteLine($"median {errors[errors.Length / 2].Error:P1}, nine of ten within {Math.Abs(errors[errors.Length * 9 / 10].Error):P1}");
        foreach ((string name, double error) in errors[^12..]) TestContext.Out.WriteLine($"{error:P1} {name}");
        Expect.Above(texts.Length, 250);
        Expect.Above(errors.Length, 60);
        Expect.AtMost(Math.Abs(errors[errors.Length / 2].Error), 0.05);
        Expect.AtMost(Math.Abs(errors[errors.Length * 9 / 10].Error), 0.15);

        static string Opcodes(PtxText text) =>
            Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', text.Lines.Select(line => line.Opcode)))))[..12];
    }

    [Test]
    public void Estimated_registers_are_about_those_of_the_assembler()
    {
        string[][] rows = [.. File.ReadLines(ReferenceData.Require("kernels/ptxas.tsv")).Select(line => line.Split('\t'))];
        Dictionary<string, string[]> known = rows.Skip(1).ToDictionary(r => r[0]);
        (int registers, int group, int shared, int warps) = (Column("registers"), Column("group_size"), Column("dynamic_shared"), Column("warps_per_sm"));
        var errors = new List<double>();
        foreach (KernelMethod kernel in Variants.Select(v => v.Kernel).Where(k => known.ContainsKey(k.Name)))
        {
            string[] row = known[kernel.Name];
            if (row[group] == "-") continue;
            errors.Add(Math.Abs(KernelFigures.RegistersOf(new PtxText(kernel.Name, PtxDevice.Module(kernel).Text)) / (double)Number(row[registers]) - 1));
            Assert.That(Accelerator.ResidentWarps((Number(row[group]) + 31) / 32, Number(row[shared]), Number(row[registers])), Is.EqualTo(Number(row[warps])), kernel.Name);
        }
        errors.Sort();
        TestContext.Out.WriteLine($"{errors.Count} kernels: median {errors[errors.Count / 2]:P1}, nine of ten within {errors[errors.Count * 9 / 10]:P1}");
        Expect.Above(errors.Count, 200);
        Expect.AtMost(errors[errors.Count / 2], 0.12);
        Expect.AtMost(errors[errors.Count * 9 / 10], 0.25);

        int Column(string name) => Array.IndexOf(rows[0], name);

        static int Number(string cell) => int.Parse(cell, CultureInfo.InvariantCulture);
    }

    [Test]
    public void No_kernel_takes_more_than_the_table_says()
    {
        KernelFigures[] kernels = CountedKernels.Run();
        var known = CounterTable.Read(File.Exists(Table) ? File.ReadAllText(Table) : "");
        if (Environment.GetEnvironmentVariable(NewTable) is { Length: > 0 } file) File.WriteAllText(file, CounterTable.Write(kernels, known));
        Assert.That(CounterTable.Worse(kernels, known), Is.Empty, $"mend it; or run this test with {NewTable}=FILE, and give the reason in the last column of that table");
        Assert.That(known.Keys.Except(kernels.Select(k => k.Kernel)), Is.Empty, "kernels of the table that are gone");
        // Where warps share an item, one lane alone is what the CPU gets; narrow heads have one everywhere.
        string[] uncounted = [.. Variants.Select(v => v.Kernel.Name).Except(known.Keys)];
        TestContext.Out.WriteLine($"{kernels.Length} kernels; not launched: {string.Join("; ", uncounted)}");
        Assert.That(uncounted.Where(name => !name.Contains("OneLane", StringComparison.Ordinal) || name.StartsWith("Attention", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void A_figure_that_grows_by_more_than_one_percent_is_told_with_its_kernel()
    {
        KernelFigures kernel = Figures(1000, 100);
        var table = CounterTable.Read(CounterTable.Write([kernel], new Dictionary<string, IReadOnlyDictionary<string, string>>()));
        Assert.That(CounterTable.Worse([kernel, Figures(1009, 100), Figures(900, 90)], table), Is.Empty);
        Assert.That(CounterTable.Worse([Figures(1020, 100)], table).Single(), Does.Contain("Some.Kernel: instructions 1,020, 1,000 in the table (2.0 % more)"));
        Assert.That(CounterTable.Worse([Figures(1000, 102)], table).Single(), Does.Contain("shared_turns"));
        Assert.That(CounterTable.Worse([kernel with { Kernel = "Other" }], table).Single(), Does.Contain("Other: not in the table"));

        static KernelFigures Figures(double instructions, long turns) => new()
        {
            Kernel = "Some.Kernel",
            Instructions = instructions,
            SharedTurns = turns,
            Units = new Dictionary<string, double> { ["fp32"] = instructions },
        };
    }

    /// <summary>Shared words of a warp <paramref name="apart"/> apart; then global words as far apart.</summary>
    [TestCase(1, 1, 4, 1)]
    [TestCase(2, 2, 8, 1)]
    [TestCase(8, 8, 32, 1)]
    [TestCase(32, 32, 32, 1)]
    [TestCase(33, 1, 32, 1)]
    [TestCase(0, 1, 1, 1)]
    public void Banks_and_sectors_are_counted_as_they_lie(int apart, int turns, int sectors, int atBest)
    {
        PtxCounts counts = Counted(32, 1056,
            $"mul.lo.s32 %r3, %r1, {4 * apart};", "cvt.u64.u32 %rd4, %r3;", "st.shared.b32 [%rd4], %r1;", "add.u64 %rd5, %rd1, %rd4;", "ld.global.b32 %r4, [%rd5];");
        PtxInstruction[] code = counts.Program.Code;
        PtxInstruction store = code.Single(i => i.Kind == PtxKind.Store), load = code.Single(i => i.Kind == PtxKind.Load);
        Assert.That((counts.Parts[store.Index], counts.Turns[store.Index]), Is.EqualTo(((long)turns, (long)atBest)));
        Assert.That(counts.Parts[load.Index], Is.EqualTo(sectors));
        Assert.That(counts.SectorsRead, Is.EqualTo(sectors));
    }

    [Test]
    public void Lanes_that_are_not_there_are_counted_out_and_divisions_weigh_what_they_cost()
    {
        PtxCounts counts = Counted(40, 64, "div.s32 %r4, %r2, 3;", "bar.sync 0;");
        PtxInstruction barrier = counts.Program.Code.Single(i => i.Kind == PtxKind.Barrier);
        Assert.That((counts.Issued[barrier.Index], counts.Warps), Is.EqualTo((2L, 2L)));
        var figures = KernelFigures.Of(counts);
        Expect.Close(figures.Lanes, 40 / 64.0, relative: 1e-12);
        Expect.Above(figures.Units["integer"], 2 * 20);
        Assert.That(figures.Barriers, Is.EqualTo(2));
        Assert.That(figures.LatencyDecides, Is.False);
    }

    [Test]
    public void What_every_round_makes_alike_is_counted_once_and_what_was_made_not_again()
    {
        const int Rounds = 50;
        string[] loop = ["mov.b32 %r3, 0;", "L_1:", "add.s32 %r3, %r3, 1;", "setp.lt.s32 %p2, %r3, " + Rounds + ";", "@%p2 bra L_1;"];
        double empty = Integers(loop);
        // The thread's number over two: alike; over the round's: not; what the first has made already.
        Expect.Close(Integers([.. loop[..2], "div.s32 %r4, %r1, %r2;", .. loop[2..]]) - empty, Division, relative: 1e-9);
        Expect.Close(Integers([.. loop[..3], "div.s32 %r4, %r1, %r3;", .. loop[3..]]) - empty, Rounds * Division, relative: 1e-9);
        Expect.Close(Integers(["div.s32 %r4, %r1, 7;", .. loop[..2], "div.s32 %r5, %r1, 7;", .. loop[2..]]) - empty, Division, relative: 1e-9);
        // A register that the loop has written since is another value.
        Expect.Close(Integers([.. loop[..2], "div.s32 %r4, %r2, 7;", "mov.b32 %r2, %r3;", .. loop[2..]]) - empty, Rounds * Division, relative: 1e-9);

        static double Integers(string[] body) => KernelFigures.Of(Counted(32, 64, body)).Units["integer"];
    }

    private static double Division => Costs.Table.Of(PtxKernels.Text("div.s32 %r4, %r1, %r2;").Text).Max(c => c.Instructions);

    private static unsafe PtxCounts Counted(int threads, int length, params string[] body)
    {
        var device = new PtxDevice { Checks = false, Counts = true };
        int[] x = GC.AllocateArray<int>(length + 8, pinned: true);
        fixed (int* at = x)
        {
            nint aligned = ((nint)at + 31) & ~31;
            device.Run(PtxKernels.Text(body), new LaunchShape(1, threads, 4 * length), KernelArgument.Of(new DeviceArray<int>(aligned, length)));
        }
        return device.TakeCounts().Single();
    }
}
