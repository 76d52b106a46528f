using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SchNet;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of SchNet's convolution against the composed and the chunked form: output, first and second derivatives.</summary>
public class ContinuousFilterKernelTests : OperatorFixture
{
    [TestCase(128, 20)]
    [TestCase(40, 7)]
    [TestCase(33, 50)]
    [TestCase(6, 1)]
    [TestCase(1, 4)]
    public void Float64_kernels_agree_with_both_other_forms(int filters, int radial)
    {
        // Isolated atoms at the start, the end and between; rows of one edge; rows that end within and at the end of a tile.
        using var problem = new FilterProblem([0, 17, 1, 0, 0, 32, 1, 63, 5, 40, 8, 0], filters, radial);
        Compare(problem, OperatorMode.Composed);
        Compare(problem, OperatorMode.Host);
    }

    [Test]
    public void More_edges_than_a_chunk_of_the_weights_gradients_holds_agree()
    {
        int[] degrees = [.. Enumerable.Range(0, 900).Select(i => i % 41)];
        using var problem = new FilterProblem(degrees, 8, 5);
        Expect.Above(problem.Edges.Count, 16384);
        Compare(problem, OperatorMode.Composed);
    }

    [Test]
    public void A_row_of_3000_neighbours_agrees()
    {
        using var problem = new FilterProblem([3, 3000, 2], 20, 6);
        Compare(problem, OperatorMode.Composed);
    }

    [TestCase(12, 5)]
    [TestCase(67, 3)]
    public void Full_warps_agree(int filters, int radial)
    {
        using var problem = new FilterProblem([2, 0, 35, 1], filters, radial);
        TestScope.Warps();
        Compare(problem, OperatorMode.Composed);
    }

    [Test]
    public void Atoms_without_edges_and_batches_without_atoms_get_zeros([Values(0, 3)] int atoms)
    {
        using var problem = new FilterProblem(new int[atoms], 4, 3);
        foreach (Tensor t in problem.Everything(OperatorMode.Kernels)) Assert.That(t.abs().sum().item<double>(), Is.Zero);
    }

    [TestCase(128, 20)]
    [TestCase(30, 50)]
    public void Float32_kernels_err_at_most_twice_as_much_as_composed_forms(int filters, int radial)
    {
        int[] degrees = [.. Enumerable.Range(0, 60).Select(i => i % 30)];
        using var exact = new FilterProblem(degrees, filters, radial);
        using FilterProblem single = exact.To(ScalarType.Float32);
        Tensor[] expected = exact.Everything(OperatorMode.Composed);
        Tensor[] composed = single.Everything(OperatorMode.Composed), kernels = single.Everything(OperatorMode.Kernels);
        Float32Errors.AtMostTwice([.. expected.Select((_, i) => FilterProblem.Label(i))], kernels, composed, expected);
    }

    [TestCase(5, 3)]
    [TestCase(4, 4)]
    public void Every_derivative_matches_finite_differences(int filters, int radial)
    {
        using var problem = new FilterProblem([3, 0, 1], filters, radial);
        problem.Kernels().MatchesFiniteDifferences();
        problem.Kernels().Gradient.MatchesFiniteDifferences();
    }

    [TestCase(5, 3)]
    [TestCase(4, 4)]
    public void Strided_tensors_make_no_difference(int filters, int radial)
    {
        using var problem = new FilterProblem([3, 0, 1], filters, radial);
        problem.Kernels().TakesStridedTensors();
        problem.Kernels().Gradient.TakesStridedTensors();
    }

    [Test]
    public void Repeats_give_the_same_bits([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        int[] degrees = warps ? [3, 0, 1] : [5, 0, 12, 3];
        using FilterProblem problem = new FilterProblem(degrees, warps ? 4 : 8, 4).To(ScalarType.Float32);
        problem.Kernels().RepeatsItself(second: true, warps);
    }

    [Test]
    public void Filters_too_wide_for_shared_memory_go_through_in_chunks()
    {
        using var problem = new FilterProblem([2, 1], 1024, 3);
        Assert.That(ContinuousFilterKernels.Fits(problem.Inputs[0], problem.Inputs[1]), Is.False);
        Compare(problem, OperatorMode.Composed);
    }

    private static void Compare(FilterProblem problem, OperatorMode mode)
    {
        Tensor[] found = problem.Everything(OperatorMode.Kernels), expected = problem.Everything(mode);
        TestContext.Out.WriteLine($"against {mode}:");
        AbsoluteTerms.Agree([.. expected.Select((_, i) => FilterProblem.Label(i))], found, expected, problem.Everything(null));
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }
}
