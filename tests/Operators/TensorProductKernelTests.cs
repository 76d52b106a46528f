using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of Allegro's tensor product against the composed form: outputs and three derivatives.</summary>
public class TensorProductKernelTests : OperatorFixture
{
    private static readonly string[] Names =
    [
        "z", "by x", "by y", "second by x", "second by y", "second by z's gradient", "third by x", "third by y", "third by z's gradient",
    ];

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
    public void Batches_without_atoms_give_nothing()
    {
        using EdgeList edges = MessageCase.Random(2);
        Agree(AllegroPaths.Plan(1, 2)[0], edges, 4);
    }

    [Test]
    public void Full_warps_agree([Values(3, 4)] int channels)
    {
        TestScope.Warps();
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
            Float32Errors.AtMostTwice(Names, kernels, composed, exact);
        }
    }

    [Test]
    public void Every_derivative_matches_finite_differences([Values(1, 4)] int channels)
    {
        using EdgeList edges = MessageCase.Random(1, 0, 1, 2);
        foreach (AllegroPaths paths in AllegroPaths.Plan(1, 2))
        {
            using TensorProductTable table = paths.Table(ScalarType.Float64);
            Operation kernels = Kernels(table, edges, channels);
            kernels.MatchesFiniteDifferences();
            kernels.Gradient.MatchesFiniteDifferences();
        }
    }

    [Test]
    public void Strided_tensors_make_no_difference()
    {
        using EdgeList edges = MessageCase.Random(1, 0, 1, 5, 2);
        using TensorProductTable table = AllegroPaths.Plan(1, 2)[0].Table(ScalarType.Float64);
        Kernels(table, edges, 4).TakesStridedTensors();
        Kernels(table, edges, 4).Gradient.TakesStridedTensors();
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        using EdgeList edges = MessageCase.Random(1, 0, 1, 5, 2);
        using TensorProductTable table = AllegroPaths.Plan(1, 2)[0].Table(ScalarType.Float32);
        Kernels(table, edges, 4, ScalarType.Float32).RepeatsItself(second: true, warps);
    }

    private static void Agree(AllegroPaths paths, EdgeList edges, int channels)
    {
        using TensorProductTable table = paths.Table(ScalarType.Float64);
        Tensor[] values = Values(table, edges, channels);
        using TensorProductTable absolute = new([table.Left], table.Right, table.Outputs,
            [.. table.Entries.Select(e => e with { Value = Math.Abs(e.Value) })], ScalarType.Float64);
        TestContext.Out.WriteLine($"{table.Left} x {table.Right} to {table.Outputs}, {table.Entries.Count} terms");
        AbsoluteTerms.Agree(Names, Everything(OperatorMode.Kernels, table, edges, values),
            Everything(OperatorMode.Composed, table, edges, values),
            Everything(OperatorMode.Composed, absolute, edges, [.. values.Select(t => t.abs())]));
    }

    private static Operation Kernels(TensorProductTable table, EdgeList edges, int channels, ScalarType dtype = ScalarType.Float64)
    {
        TestScope.Mode(OperatorMode.Kernels);
        Tensor[] at = [.. Values(table, edges, channels)[..2].Select(t => t.to(dtype))];
        return new Operation(["x", "y"], at, inputs => [AllegroTensorProduct.Apply(inputs[0], inputs[1], edges, table)]);
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
        TestScope.Mode(mode);
        Tensor[] leaves = [.. values.Take(3).Select(t => t.clone().requires_grad_())];
        Tensor z = AllegroTensorProduct.Apply(leaves[0], leaves[1], edges, table);
        IList<Tensor> first = Gradients.Of([z], leaves[..2], [leaves[2]], true, true);
        IList<Tensor> second = Gradients.Of([.. first], leaves, values[3..], true, true);
        IList<Tensor> third = Gradients.Of([second.Select(t => t.square().sum()).Aggregate((a, b) => a + b)], leaves);
        return [z.detach(), .. first.Concat(second).Select(t => t.detach()), .. third];
    }
}
