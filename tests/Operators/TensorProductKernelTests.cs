using ChemScale.Engine.Models;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of Allegro's tensor product against the composed form: outputs and three derivatives.</summary>
public class TensorProductKernelTests
{
    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        OperatorModes.Current = OperatorMode.Auto;
        KernelTensors.Cpu = CpuDevice.Scalar;
    }

    [Test]
    public void Float64_kernels_agree_with_the_composed_form([Values(1, 2, 3)] int order, [Values(1, 8)] int channels)
    {
        using EdgeList edges = MessageCase.Random(1, 0, 1, 5, 9, 0, 2);
        foreach (AllegroPaths paths in AllegroPaths.Plan(order, 2)) Agree(paths, edges, channels);
    }

    [Test]
    public void Float64_kernels_agree_on_a_row_of_3000_edges_and_on_none([Values(0, 3000)] int count)
    {
        using EdgeList edges = MessageCase.Random(2, count, 0);
        foreach (AllegroPaths paths in AllegroPaths.Plan(1, 2)) Agree(paths, edges, 4);
    }

    [Test]
    public void Full_warps_agree([Values(3, 4)] int channels)
    {
        KernelTensors.Cpu = CpuDevice.Warps;
        using EdgeList edges = MessageCase.Random(3, 0, 1, 6);
        Agree(AllegroPaths.Plan(1, 2)[0], edges, channels);
    }

    [Test]
    public void Float32_errors_are_at_most_twice_the_composed_ones()
    {
        using EdgeList edges = MessageCase.Random(4, [.. Enumerable.Range(0, 30)]);
        foreach (AllegroPaths paths in AllegroPaths.Plan(2, 2))
        {
            using TensorProductTable narrow = paths.Table(ScalarType.Float32), wide = paths.Table(ScalarType.Float64);
            Tensor[] single = [.. Values(wide, edges, 8).Select(t => t.to(ScalarType.Float32))];
            Tensor[] exact = Everything(OperatorMode.Composed, wide, edges, [.. single.Select(t => t.to(ScalarType.Float64))]);
            Tensor[] kernels = Everything(OperatorMode.Kernels, narrow, edges, single),
                composed = Everything(OperatorMode.Composed, narrow, edges, single);
            for (int i = 0; i < exact.Length; i++)
            {
                double found = Error(kernels[i], exact[i]), usual = Error(composed[i], exact[i]);
                TestContext.Out.WriteLine($"{i}: {found:e2}, composed {usual:e2}");
                Assert.That(found, Is.LessThanOrEqualTo(2 * usual), $"value {i}");
            }
        }

        static double Error(Tensor values, Tensor exact) => (values.to(ScalarType.Float64) - exact).norm().item<double>();
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit()
    {
        using EdgeList edges = MessageCase.Random(1, 0, 1, 5, 2);
        using TensorProductTable table = AllegroPaths.Plan(1, 2)[0].Table(ScalarType.Float32);
        Tensor[] values = [.. Values(table, edges, 4).Select(t => t.to(ScalarType.Float32))];
        Tensor[] first = Everything(OperatorMode.Kernels, table, edges, values);
        for (int repeat = 0; repeat < 250; repeat++)
        {
            using DisposeScope step = NewDisposeScope();
            Tensor[] again = Everything(OperatorMode.Kernels, table, edges, values);
            for (int i = 0; i < first.Length; i++) Assert.That(again[i].equal(first[i]).all().item<bool>(), $"value {i}");
        }
    }

    private static void Agree(AllegroPaths paths, EdgeList edges, int channels)
    {
        using TensorProductTable table = paths.Table(ScalarType.Float64);
        Tensor[] values = Values(table, edges, channels);
        Tensor[] kernels = Everything(OperatorMode.Kernels, table, edges, values),
            composed = Everything(OperatorMode.Composed, table, edges, values);
        double worst = 0;
        for (int i = 0; i < kernels.Length && edges.Count > 0; i++)
        {
            double error = (kernels[i] - composed[i]).abs().max().item<double>(), size = composed[i].abs().max().item<double>();
            worst = Math.Max(worst, error / size);
            Assert.That(error, Is.LessThanOrEqualTo(1e-12 * size), $"value {i}");
        }
        TestContext.Out.WriteLine($"{table.Left} x {table.Right} to {table.Outputs}, {table.Entries.Count} terms: {worst:e2}");
    }

    /// <summary>x, y, the gradient of z, and cotangents of the gradients by x and y.</summary>
    private static Tensor[] Values(TensorProductTable table, EdgeList edges, int channels)
    {
        using Generator generator = new(1);
        Tensor x = Make(edges.Count, table.Left), y = Make(edges.Atoms, table.Right), z = Make(edges.Count, table.Outputs);
        return [x, y, z, Make(edges.Count, table.Left), Make(edges.Atoms, table.Right)];

        Tensor Make(long rows, long components) => randn([rows, components, channels], dtype: ScalarType.Float64, generator: generator);
    }

    /// <summary>z; gradients by x and y; gradients of those by x, y and z's gradient; and of the squares of these once more.</summary>
    private static Tensor[] Everything(OperatorMode mode, TensorProductTable table, EdgeList edges, Tensor[] values)
    {
        OperatorModes.Current = mode;
        Tensor[] leaves = [.. values.Take(3).Select(t => t.clone().requires_grad_())];
        Tensor z = AllegroTensorProduct.Apply(leaves[0], leaves[1], edges, table);
        IList<Tensor> first = autograd.grad([z], leaves[..2], [leaves[2]], true, true);
        AutogradFunction.ThrowIfFailed();
        IList<Tensor> second = autograd.grad([.. first], leaves, values[3..], true, true);
        AutogradFunction.ThrowIfFailed();
        IList<Tensor> third = autograd.grad([second.Select(t => t.square().sum()).Aggregate((a, b) => a + b)], leaves);
        AutogradFunction.ThrowIfFailed();
        return [z.detach(), .. first.Concat(second).Select(t => t.detach()), .. third];
    }
}
