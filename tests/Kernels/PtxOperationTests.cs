using System.Diagnostics;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Optimization;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using ChemScale.Tests.Gpu;
using ChemScale.Tests.Operators;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using static TorchSharp.torch;

namespace ChemScale.Tests.Kernels;

/// <summary>Every operation on the interpreted device, with all its checks, products fused with sums by the toss of a coin.</summary>
public class PtxOperationTests : OperatorFixture
{
    // One multiprocessor: strided loops go round.
    private static readonly PtxDevice Ptx = new() { Multiprocessors = 1, Rounding = PtxRounding.Mixed };

    private readonly PtxSuite suite = new(Ptx);

    [SetUp]
    public void Choose()
    {
        TestScope.Device(Ptx);
        suite.Begin();
    }

    [TearDown]
    public void End() => suite.End();

    [OneTimeTearDown]
    public void Tell() => suite.Tell("operations");

    private static IEnumerable<string> Operations() => DeviceOperation.All.Keys;

    [Test]
    public void Kernels_agree_with_composed_forms([ValueSource(nameof(Operations))] string name) => Agree(name, CaseSize.Small);

    [Test, Category("Slow")]
    public void Kernels_agree_with_composed_forms_at_full_size([ValueSource(nameof(Operations))] string name) => Agree(name, CaseSize.Full);

    private static void Agree(string name, CaseSize size)
    {
        const double Ulp = 1.0 / (1 << 23);
        long before = Ptx.Instructions;
        using DeviceOperation operation = DeviceOperation.All[name](size);
        DeviceOperationTests.Value[] expected = DeviceOperationTests.Everything(operation, OperatorMode.Composed, CPU, ScalarType.Float64);
        DeviceOperationTests.Value[] found = DeviceOperationTests.Everything(operation, OperatorMode.Kernels, CPU, ScalarType.Float64);
        DeviceOperationTests.Value[] single = DeviceOperationTests.Everything(operation, OperatorMode.Kernels, CPU, ScalarType.Float32);
        DeviceOperationTests.Value[] composed = DeviceOperationTests.Everything(operation, OperatorMode.Composed, CPU, ScalarType.Float32);
        TestContext.Out.WriteLine($"{Ptx.Instructions - before:N0} warp-instructions");
        Expect.Above(Ptx.Instructions - before, 1000);
        for (int i = 0; i < expected.Length; i++)
        {
            Tensor exact = expected[i].Numbers;
            double largest = exact.abs().max().item<double>();
            Expect.Close(found[i].Numbers, exact, absolute: 1e-11 * Math.Max(1, largest), message: expected[i].Name);
            double ours = RootMeanSquare(single[i].Numbers - exact), theirs = RootMeanSquare(composed[i].Numbers - exact);
            Expect.AtMost(ours, 2 * theirs + Ulp * largest, expected[i].Name);
        }

        static double RootMeanSquare(Tensor t) => t.square().mean().sqrt().item<double>();
    }

    /// <summary>Which directions repeat: each of the eight.</summary>
    private static IEnumerable<bool[]> Periodicities() => Enumerable.Range(0, 8).Select(bits => (bool[])[(bits & 1) > 0, (bits & 2) > 0, (bits & 4) > 0]);

    [Test]
    public void Bins_find_the_edges_of_the_host([ValueSource(nameof(Periodicities))] bool[] periodic)
    {
        // Cells of more than one width and of half a cutoff: a bin's range is 1 in some and 2 or more in others.
        Frame[] frames = [NeighborFrames.Skewed(60, periodic, 0.5, 1), NeighborFrames.Empty, NeighborFrames.Skewed(9, periodic, 0.3, 2)];
        foreach (double cutoff in (double[])[2.1, 11]) AssertHost(frames, cutoff);
    }

    [Test]
    public void Molecules_have_the_edges_of_the_host([Values] bool single)
    {
        int[] sizes = [9, 1, 0, 21, 2, 70];
        using Generator generator = new(3);
        Tensor positions = randn(sizes.Sum(), 3, generator: generator) * 3;
        if (!single) positions = positions.to(ScalarType.Float64);
        foreach (double cutoff in (double[])[0.7, 4])
        {
            EdgeList found = Edges(OperatorMode.Kernels, cutoff), expected = Edges(OperatorMode.Host, cutoff);
            Same(found.RowStarts, expected.RowStarts);
            Same(found.Senders, expected.Senders);
            Same(found.ReverseEdges!, expected.ReverseEdges!);
        }

        EdgeList Edges(OperatorMode mode, double cutoff)
        {
            TestScope.Mode(mode);
            return MoleculeNeighbors.Apply(positions, sizes, cutoff);
        }
    }

    [Test]
    public void AdamW_updates_to_the_bit_as_on_the_cpu([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType type)
    {
        // Less than a group, an odd one, and more than a chunk.
        long[] sizes = [1, 100, 4_103];
        Tensor[] found = Updated(new PtxDevice { Multiprocessors = 1 }), expected = Updated(CpuDevice.Scalar);
        for (int i = 0; i < expected.Length; i++) Expect.Close(found[i], expected[i]);

        Tensor[] Updated(KernelDevice device)
        {
            TestScope.Device(device);
            TestScope.Mode(OperatorMode.Kernels);
            Tensor[][] parts = [.. Enumerable.Range(0, 4).Select(k => sizes.Select((n, i) => DeviceOperation.Normal((ulong)(10 * k + i), n).abs().to(type)).ToArray())];
            AdamWUpdate.Apply(parts[0], parts[1], parts[2], parts[3], new AdamWSettings(3, 0.01, 0.9, 0.95, 0.1, 1e-8));
            return [.. parts[0], .. parts[2], .. parts[3]];
        }
    }

    private static void AssertHost(Frame[] frames, double cutoff)
    {
        double[] all = [.. frames.SelectMany(f => f.Positions)];
        Tensor positions = tensor(all).reshape(all.Length / 3, 3);
        TestScope.Mode(OperatorMode.Host);
        using FrameEdges expected = FrameNeighbors.Apply(frames, positions, cutoff);
        TestScope.Mode(OperatorMode.Kernels);
        using FrameEdges found = FrameNeighborsKernels.Build(positions, frames, cutoff);
        Expect.Above(expected.Edges.Count, 8);
        Same(found.Edges.RowStarts, expected.Edges.RowStarts);
        Same(found.Edges.Senders, expected.Edges.Senders);
        if (expected.Shifts is not null) Same(found.Shifts!, expected.Shifts);
    }

    private static void Same(Tensor found, Tensor expected) => Assert.That(found.shape.SequenceEqual(expected.shape) && found.eq(expected).all().item<bool>());
}

/// <summary>Attention in bfloat16 with the instructions of tensor cores.</summary>
public class PtxMatrixAttentionTests : MatrixAttentionCases
{
    private static readonly PtxDevice Ptx = new() { Multiprocessors = 1, Rounding = PtxRounding.Mixed };

    private readonly PtxSuite suite = new(Ptx);

    private protected override KernelDevice Cpu => Ptx;

    [SetUp]
    public void Begin() => suite.Begin();

    [TearDown]
    public void End() => suite.End();

    [OneTimeTearDown]
    public void Tell() => suite.Tell("attention on matrix units");
}

/// <summary>What a fixture's cases did on the interpreted device: told when they are done.</summary>
internal sealed class PtxSuite(PtxDevice device)
{
    private readonly Stopwatch clock = new();
    private int cases;
    private int findings;

    public void Begin() => clock.Start();

    public void End()
    {
        clock.Stop();
        cases++;
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed) findings++;
    }

    public void Tell(string what) => TestContext.Progress.WriteLine(
        $"interpreted PTX, {what}: {cases} cases, {device.Instructions:N0} warp-instructions, {clock.Elapsed.TotalSeconds:F1} s, {findings} findings");
}
