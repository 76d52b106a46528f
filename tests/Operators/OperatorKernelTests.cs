using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>What an operation's kernels with first derivatives must hold to, against its composed form.</summary>
public abstract class OperatorKernelTests : OperatorFixture
{
    [Test]
    public void Float64_kernels_agree_with_the_composed_form([Values(1, 33, 1_000)] int rows, [Values(1, 18, 100, 128)] int width) =>
        AgreesInFloat64(rows, width);

    [Test]
    public void Long_batches_agree_with_the_composed_form() => AgreesInFloat64(9_001, 20);

    [Test]
    public void Full_warps_agree_with_the_composed_form([Values(1, 37)] int rows, [Values(1, 18, 100, 128)] int width)
    {
        TestScope.Warps();
        AgreesInFloat64(rows, width);
    }

    [Test]
    public void Float32_errors_are_at_most_twice_those_of_the_composed_form([Values(592, 5_000)] int rows, [Values(100, 127)] int width)
    {
        Tensor[] inputs = Inputs(rows, width, ScalarType.Float32);
        Tensor[] exact = Everything(OperatorMode.Composed, [.. inputs.Select(t => t.to(ScalarType.Float64))]);
        Float32Errors.AtMostTwice([.. exact.Select((_, i) => Name(i))],
            Everything(OperatorMode.Kernels, inputs), Everything(OperatorMode.Composed, inputs), exact);
    }

    [Test]
    public void Every_gradient_matches_finite_differences([Values(1, 4, 5)] int width) => Kernels(3, width).MatchesFiniteDifferences();

    [Test]
    public void Every_second_derivative_matches_finite_differences([Values(1, 4, 5)] int width) =>
        Kernels(3, width).Gradient.MatchesFiniteDifferences();

    [Test]
    public void Strided_tensors_make_no_difference([Values(4, 5)] int width) => Kernels(6, width).TakesStridedTensors();

    [Test]
    public void Memory_that_packs_of_four_may_not_have_makes_no_difference()
    {
        Tensor[] inputs = Inputs(9, 16, ScalarType.Float64);
        Tensor[] moved = [.. inputs.Select(t => cat([zeros(1, dtype: t.dtype), t.reshape(-1)]).narrow(0, 1, t.numel()).view(t.shape))];
        Tensor[] expected = Everything(OperatorMode.Kernels, inputs), found = Everything(OperatorMode.Kernels, moved, keep: true);
        AbsoluteTerms.Agree([.. expected.Select((_, i) => Name(i))], found, expected, Terms(inputs));
    }

    [Test]
    public void An_empty_batch_is_as_composed([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        Tensor[] inputs = Inputs(0, 16, dtype);
        Tensor[] kernels = Everything(OperatorMode.Kernels, inputs), composed = Everything(OperatorMode.Composed, inputs);
        for (int i = 0; i < kernels.Length; i++)
        {
            Assert.That(kernels[i].shape, Is.EqualTo(composed[i].shape), Name(i));
            // The mean over nothing is NaN.
            if (kernels[i].numel() > 0) Expect.Close(kernels[i], composed[i], absolute: 1e-8, relative: 1e-5, nonFinite: true, message: Name(i));
        }
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        Kernels(warps ? 2 : 100, warps ? 4 : 16, ScalarType.Float32).RepeatsItself(second: false, warps);
    }

    [Test]
    public void Second_derivatives_are_those_of_the_composed_form()
    {
        Tensor[] inputs = Inputs(10, 16, ScalarType.Float64);
        Tensor[] kernels = Second(OperatorMode.Kernels), composed = Second(OperatorMode.Composed);
        for (int i = 0; i < kernels.Length; i++)
            Expect.Close(kernels[i], composed[i], absolute: 1e-11 * Math.Max(1, Largest(composed[i])), message: Name(i + 1));

        Tensor[] Second(OperatorMode mode)
        {
            TestScope.Mode(mode);
            Tensor[] leaves = [.. inputs.Select(t => t.clone().requires_grad_())];
            Tensor y = Apply(leaves);
            IList<Tensor> first = Gradients.Of([y.square().sum()], leaves, retainGraph: true, createGraph: true);
            Tensor sum = first.Select(g => g.square().sum()).Aggregate((a, b) => a + b);
            IList<Tensor> second = Gradients.Of([sum], leaves);
            return [.. second];
        }
    }

    [Test]
    [Category("Gpu")]
    public void Devices_agree_with_the_composed_form(
        [Values(1, 592)] int rows, [Values(1, 100, 128)] int width, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        Tensor[] inputs = Inputs(rows, width, dtype), wide = [.. inputs.Select(t => t.to(ScalarType.Float64))];
        Tensor[] kernels = Everything(OperatorMode.Auto, [.. inputs.Select(t => t.cuda())]);
        Tensor[] exact = Everything(OperatorMode.Composed, wide);
        Tensor[] found = [.. kernels.Select(t => t.cpu().to(ScalarType.Float64))];
        AbsoluteTerms.Agree([.. exact.Select((_, i) => Name(i))], found, exact, Terms(wide),
            dtype == ScalarType.Float64 ? AbsoluteTerms.Tolerance : 1e-5);
    }

    /// <summary>All are differentiated; numbers that float32 holds exactly.</summary>
    private protected abstract Tensor[] Inputs(int rows, int width, ScalarType dtype);

    private protected abstract Tensor Apply(Tensor[] inputs);

    /// <summary>The output's sums of absolute terms: see <see cref="AbsoluteTerms"/>.</summary>
    /// <param name="inputs">Absolute values; they are differentiated.</param>
    /// <param name="at">The true values.</param>
    private protected abstract Tensor Absolute(Tensor[] inputs, Tensor[] at);

    /// <summary>Of the output, then of each input.</summary>
    private protected abstract string[] Names { get; }

    /// <summary>Normal numbers that float32 holds exactly.</summary>
    private protected static Tensor Normal(long[] shape, int seed, ScalarType dtype)
    {
        using Generator generator = new((ulong)seed);
        return randn(shape, dtype: ScalarType.Float32, generator: generator).to(dtype);
    }

    private protected static double Largest(Tensor t) => t.numel() == 0 ? 0 : t.abs().max().to(ScalarType.Float64).item<double>();

    /// <summary>The output, and the gradients of its random sum.</summary>
    /// <param name="mode">Of the operation.</param>
    /// <param name="inputs">The point.</param>
    /// <param name="keep">The inputs stay in their memory.</param>
    private protected Tensor[] Everything(OperatorMode mode, Tensor[] inputs, bool keep = false)
    {
        TestScope.Mode(mode);
        Tensor[] leaves = [.. inputs.Select(t => (keep ? t.detach() : t.detach().clone()).requires_grad_())];
        Tensor output = Apply(leaves);
        IList<Tensor> gradients = Gradients.Of([output], leaves, [Probe(output, 1)]);
        return [output.detach(), .. gradients];
    }

    private static Tensor Probe(Tensor like, int seed) => Normal(like.shape, seed, like.dtype).to(like.device);

    private string Name(int i) => i == 0 ? Names[0] : $"gradient by {Names[i]}";

    private Operation Kernels(int rows, int width, ScalarType dtype = ScalarType.Float64)
    {
        TestScope.Mode(OperatorMode.Kernels);
        return new Operation(Names[1..], Inputs(rows, width, dtype), inputs => [Apply(inputs)]);
    }

    private protected Tensor[] Terms(Tensor[] inputs)
    {
        Tensor[] leaves = [.. inputs.Select(t => t.abs().requires_grad_())];
        Tensor output = Absolute(leaves, inputs);
        return [output.detach(), .. Gradients.Of([output], leaves, [Probe(output, 1).abs()])];
    }

    private void AgreesInFloat64(int rows, int width)
    {
        Tensor[] inputs = Inputs(rows, width, ScalarType.Float64);
        AbsoluteTerms.Agree([.. Names.Select((_, i) => Name(i))],
            Everything(OperatorMode.Kernels, inputs), Everything(OperatorMode.Composed, inputs), Terms(inputs));
    }
}
