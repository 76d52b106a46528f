using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of PaiNN's message against the composed form: outputs, first and second derivatives.</summary>
public class PaiNNMessageKernelTests : OperatorFixture
{
    private static readonly int[] Crowded = [3000, 1, 0, 7];

    // Isolated atoms, rows of one edge, rows of no whole tile.
    private static readonly int[] Uneven = [0, 1, 5, 9, 0, 2, 4, 1, 13, 3, 0];

    [Test]
    public void Float64_kernels_agree_with_other_forms_on_asymmetric_edges(
        [Values(1, 8, 33)] int features, [Values(1, 21)] int radial, [Values] bool vectors)
    {
        using EdgeList edges = MessageCase.Random(1, Uneven);
        TestScope.Scratch(1000);
        Agree(new MessageCase(edges, features, radial, vectors));
    }

    [Test]
    public void Float64_kernels_agree_on_edges_that_know_their_reverse([Values] bool vectors)
    {
        using EdgeList edges = MessageCase.Complete(9);
        Assert.That(edges.BySender.Edges.data<long>().ToArray(), Is.EqualTo(edges.ReverseEdges!.data<long>().ToArray()));
        Agree(new MessageCase(edges, 12, 21, vectors));
    }

    [Test]
    public void Float64_kernels_agree_on_a_row_of_3000_edges()
    {
        using EdgeList edges = MessageCase.Random(2, Crowded);
        Agree(new MessageCase(edges, 8, 21, true));
    }

    [Test]
    public void Float64_kernels_agree_without_edges_and_without_atoms([Values(0, 3)] int atoms)
    {
        using EdgeList edges = MessageCase.Random(1, new int[atoms]);
        Agree(new MessageCase(edges, 8, 5, true));
    }

    // Enough packs for four lanes an edge, and for a warp.
    [Test]
    public void Full_warps_agree([Values(5, 8, 18, 64)] int features, [Values] bool vectors)
    {
        TestScope.Warps();
        using EdgeList edges = MessageCase.Random(3, 0, 1, 6, 3);
        Agree(new MessageCase(edges, features, 4, vectors));
    }

    [Test]
    public void Float32_errors_are_at_most_twice_the_composed_ones([Values(7, 64)] int features)
    {
        using EdgeList edges = MessageCase.Random(4, [.. Enumerable.Range(0, 60).Select(i => i % 40)]);
        var message = new MessageCase(edges, features, 21, true);
        Tensor?[] single = message.Values(5, ScalarType.Float32), wide = [.. single.Select(t => t?.to(ScalarType.Float64))];
        var exact = message.Everything(OperatorMode.Composed, wide);
        var kernels = message.Everything(OperatorMode.Kernels, single);
        var composed = message.Everything(OperatorMode.Composed, single);
        Float32Errors.AtMostTwice([.. exact.Select(v => v.Name)], [.. kernels.Select(v => v.Values)], [.. composed.Select(v => v.Values)],
            [.. exact.Select(v => v.Values)]);
    }

    [Test]
    public void Every_derivative_matches_finite_differences([Values] bool vectors, [Values(3, 4)] int features)
    {
        using EdgeList edges = MessageCase.Random(6, 2, 0, 1);
        Operation kernels = new MessageCase(edges, features, 2, vectors).Kernels();
        kernels.MatchesFiniteDifferences();
        kernels.Gradient.MatchesFiniteDifferences();
    }

    [Test]
    public void Strided_tensors_make_no_difference([Values] bool vectors)
    {
        using EdgeList edges = MessageCase.Random(6, 2, 0, 5, 1);
        Operation kernels = new MessageCase(edges, 4, 3, vectors).Kernels();
        kernels.TakesStridedTensors();
        kernels.Gradient.TakesStridedTensors();
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        using EdgeList edges = MessageCase.Random(7, warps ? [0, 1, 3] : Uneven);
        new MessageCase(edges, warps ? 4 : 8, warps ? 2 : 5, true).Kernels(ScalarType.Float32).RepeatsItself(second: true, warps);
    }

    /// <summary>To 1e-12 of the sum of absolute terms, which the composed form makes of absolute values.</summary>
    private static void Agree(MessageCase message)
    {
        Tensor?[] values = message.Values(5);
        foreach (bool alongFilter in (bool[])[false, true])
        {
            var expected = message.Everything(OperatorMode.Composed, values, alongFilter);
            string[] names = [.. expected.Select(v => v.Name)];
            Tensor[] kernels = Of(OperatorMode.Kernels, values), sizes = Of(OperatorMode.Composed, [.. values.Select(t => t?.abs())]);
            AbsoluteTerms.Agree(names, kernels, [.. expected.Select(v => v.Values)], sizes);
            AbsoluteTerms.Agree([.. names.Select(n => n + ", from the host form")], kernels, Of(OperatorMode.Host, values), sizes);

            Tensor[] Of(OperatorMode mode, Tensor?[] numbers) =>
                [.. message.Everything(mode, numbers, alongFilter).Select(v => v.Values)];
        }
    }
}
