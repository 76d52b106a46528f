using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The radial kernels against the composed form: outputs, first and second derivatives.</summary>
public class RadialKernelTests : OperatorFixture
{
    private const double Cutoff = 5;

    private static readonly string[] Names =
    [
        "distances", "directions", "envelope", "radial", "gradient", "second by vectors", "second by distances", "second by directions",
        "second by envelope", "second by radial",
    ];

    [Test]
    public void Float64_kernels_agree_with_composed_forms([Values] bool gaussian, [Values(0, 2, 6)] int power, [Values(1, 7, 20)] int count)
    {
        RadialFunctions functions = Functions(gaussian, power, count, ScalarType.Float64);
        AgreesInFloat64(Vectors(1), functions);
        AgreesInFloat64(Vectors(3_000), functions);
    }

    [Test]
    public void Full_warps_agree_with_composed_forms(
        [Values] bool gaussian, [Values(0, 6)] int power, [Values(3, 8)] int count, [Values(1, 37)] int edges)
    {
        // 37 edges on four lanes each: 148 threads' work for 128, so the last round is partly idle.
        TestScope.Warps();
        AgreesInFloat64(Vectors(edges), Functions(gaussian, power, count, ScalarType.Float64));
    }

    [Test]
    public void Float32_errors_are_at_most_twice_those_of_the_composed_form([Values] bool gaussian, [Values(0, 6)] int power)
    {
        Tensor vectors = Vectors(20_000).to(ScalarType.Float32);
        // The same numbers for all three: rounding the basis is no error of the operation.
        RadialFunctions single = Functions(gaussian, power, 20, ScalarType.Float32);
        var wide = new RadialFunctions(single.Centers.to(ScalarType.Float64), single.Exponents?.to(ScalarType.Float64), Cutoff, power);
        Tensor[] exact = Everything(OperatorMode.Composed, vectors.to(ScalarType.Float64), wide);
        Tensor[] composed = Everything(OperatorMode.Composed, vectors, single), kernels = Everything(OperatorMode.Kernels, vectors, single);
        Float32Errors.AtMostTwice(Names, kernels, composed, exact);
    }

    [Test]
    public void Every_derivative_matches_finite_differences([Values] bool gaussian, [Values(0, 6)] int power, [Values(3, 4)] int count)
    {
        Operation kernels = Kernels(Vectors(4), Functions(gaussian, power, count, ScalarType.Float64));
        kernels.MatchesFiniteDifferences();
        kernels.Gradient.MatchesFiniteDifferences();
    }

    [Test]
    public void Edges_at_and_beyond_the_cutoff_and_very_short_ones_are_as_composed([Values] bool gaussian, [Values(0, 2, 6)] int power)
    {
        // In units where their lengths are exact: at the cutoff, just inside and outside, far beyond, and next to nothing.
        double[] lengths = [Cutoff, Math.BitDecrement(Cutoff), Math.BitIncrement(Cutoff), 100, 1e-3, 0.1];
        Tensor vectors = zeros(lengths.Length, 3, dtype: ScalarType.Float64);
        using (no_grad()) vectors.select(1, 1).copy_(tensor(lengths));
        RadialFunctions functions = Functions(gaussian, power, 8, ScalarType.Float64);
        Tensor[] kernels = Everything(OperatorMode.Kernels, vectors, functions);
        AgreesInFloat64(vectors, functions);
        double[] envelope = kernels[2].data<double>().ToArray();
        Assert.That(new[] { envelope[0], envelope[2], envelope[3] }, Is.All.Zero);
        Assert.That(kernels[8].narrow(0, 2, 2).abs().max().item<double>(), Is.Zero);
    }

    [Test]
    [Category("Gpu")]
    public void Devices_agree_with_composed_forms(
        [Values] bool gaussian, [Values(0, 6)] int power, [Values(7, 20)] int count,
        [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        RadialFunctions functions = Functions(gaussian, power, count, dtype), wide = Functions(gaussian, power, count, ScalarType.Float64);
        Tensor vectors = Vectors(3_000).to(dtype);
        var there = new RadialFunctions(functions.Centers.cuda(), functions.Exponents?.cuda(), Cutoff, power);
        Tensor[] kernels = Everything(OperatorMode.Auto, vectors.cuda(), there);
        Tensor[] exact = Everything(OperatorMode.Composed, vectors.to(ScalarType.Float64), wide);
        double tolerance = dtype == ScalarType.Float64 ? 1e-12 : 1e-5;
        AbsoluteTerms.Agree(Names, [.. kernels.Select(t => t.cpu().to(ScalarType.Float64))], exact,
            Everything(null, vectors.to(ScalarType.Float64), wide), tolerance);
    }

    [Test]
    public void No_edges_are_no_trouble([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        Tensor[] all = Everything(OperatorMode.Kernels, zeros(0, 3, dtype: dtype), Functions(true, 0, 4, dtype));
        Assert.That(all.Select(t => t.numel()), Is.All.Zero);
        Assert.That(all[3].shape, Is.EqualTo(new long[] { 0, 4 }));
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        Kernels(Vectors(warps ? 9 : 200).to(ScalarType.Float32), Functions(false, 6, 8, ScalarType.Float32)).RepeatsItself(second: true, warps);
    }

    [Test]
    public void One_output_alone_may_be_differentiated([Range(0, 3)] int output)
    {
        RadialFunctions functions = Functions(false, 6, 8, ScalarType.Float64);
        Tensor vectors = Vectors(50);
        (Tensor first, Tensor second) = Derivatives(OperatorMode.Kernels);
        (Tensor composedFirst, Tensor composedSecond) = Derivatives(OperatorMode.Composed);
        Expect.Close(first, composedFirst, ofLargest: 1e-12);
        Expect.Close(second, composedSecond, ofLargest: 1e-12);

        (Tensor, Tensor) Derivatives(OperatorMode mode)
        {
            Tensor leaf = vectors.clone().requires_grad_();
            // The gradient of a sum is one number stretched over the tensor: not contiguous.
            Tensor sum = Outputs(mode, leaf, functions)[output].sum();
            Tensor gradient = Gradients.Of([sum], [leaf], retainGraph: true, createGraph: true)[0];
            Tensor again = Gradients.Of([gradient.pow(3).sum()], [leaf])[0];
            return (gradient.detach(), again);
        }
    }

    [Test]
    public void Third_derivatives_are_those_of_the_composed_form()
    {
        RadialFunctions functions = Functions(true, 6, 5, ScalarType.Float64);
        Tensor vectors = Vectors(20);
        Tensor kernels = Third(OperatorMode.Kernels), composed = Third(OperatorMode.Composed);
        Expect.Close(kernels, composed, ofLargest: 1e-11);

        Tensor Third(OperatorMode mode)
        {
            Tensor leaf = vectors.clone().requires_grad_();
            var features = Features(mode, leaf, functions);
            Tensor y = (features.Radial * features.Envelope).sum() + features.Directions.pow(3).sum();
            for (int order = 1; order <= 3; order++)
                y = Gradients.Of([y.square().sum()], [leaf], retainGraph: true, createGraph: true)[0];
            return y.detach();
        }
    }

    [Test]
    public void Strided_tensors_make_no_difference([Values(4, 5)] int count)
    {
        Operation kernels = Kernels(Vectors(30), Functions(true, 0, count, ScalarType.Float64));
        kernels.TakesStridedTensors();
        kernels.Gradient.TakesStridedTensors();
    }

    [Test]
    public void Trained_frequencies_get_their_gradient()
    {
        RadialFunctions functions = Functions(false, 6, 4, ScalarType.Float64);
        functions.Centers.requires_grad_();
        Gradients.Backward(Features(OperatorMode.Kernels, Vectors(10), functions).Radial.sum());
        Expect.Above(functions.Centers.grad!.abs().min().item<double>(), 0);
    }

    private static void AgreesInFloat64(Tensor vectors, RadialFunctions functions)
    {
        Tensor[] kernels = Everything(OperatorMode.Kernels, vectors, functions);
        Tensor[] composed = Everything(OperatorMode.Composed, vectors, functions);
        AbsoluteTerms.Agree(Names, kernels, composed, Everything(null, vectors, functions));
    }

    /// <summary>The four outputs; the gradient of their random sum; the gradients of a random sum of that.</summary>
    /// <param name="mode">null: the sums of absolute terms</param>
    /// <param name="vectors">(E, 3)</param>
    /// <param name="functions">Basis and cutoff function.</param>
    private static Tensor[] Everything(OperatorMode? mode, Tensor vectors, RadialFunctions functions)
    {
        Tensor leaf = (mode is null ? vectors.abs() : vectors).detach().requires_grad_();
        Tensor[] outputs = mode is { } form ? Outputs(form, leaf, functions) : RadialTerms.Of(leaf, functions);
        Tensor[] gradients = [.. outputs.Select((t, i) => Signed(Probe(t, i)).requires_grad_())];
        Tensor cotangent = Signed(Probe(outputs[1], 9));
        Tensor first = Gradients.Of(outputs, [leaf], gradients, retainGraph: true, createGraph: true)[0];
        IList<Tensor> second = Gradients.Of([first], [leaf, .. gradients], [cotangent]);
        return [.. outputs.Append(first).Select(t => t.detach()), .. second];

        Tensor Signed(Tensor probe) => mode is null ? probe.abs() : probe;
    }

    private static Operation Kernels(Tensor vectors, RadialFunctions functions)
    {
        TestScope.Mode(OperatorMode.Kernels);
        return new Operation(["vectors"], [vectors], inputs => Outputs(OperatorMode.Kernels, inputs[0], functions));
    }

    /// <summary>Normal numbers that float32 holds exactly.</summary>
    private static Tensor Probe(Tensor like, int seed)
    {
        using Generator generator = new((ulong)seed);
        return randn(like.shape, dtype: ScalarType.Float32, generator: generator).to(like.dtype).to(like.device);
    }

    private static (Tensor Distances, Tensor Directions, Tensor Envelope, Tensor Radial) Features(
        OperatorMode mode, Tensor vectors, RadialFunctions functions)
    {
        TestScope.Mode(mode);
        return RadialBasisCutoff.Of(vectors, functions);
    }

    private static Tensor[] Outputs(OperatorMode mode, Tensor vectors, RadialFunctions functions)
    {
        var features = Features(mode, vectors, functions);
        return [features.Distances, features.Directions, features.Envelope, features.Radial];
    }

    private static RadialFunctions Functions(bool gaussian, int power, int count, ScalarType dtype)
    {
        double[] centers = [.. Enumerable.Range(0, count).Select(k => gaussian ? k * Cutoff / count : (k + 1) * Math.PI / Cutoff)];
        double[] exponents = [.. centers.Select(_ => -0.5 * Math.Pow(count / Cutoff, 2))];
        return new RadialFunctions(tensor(centers, dtype: dtype), gaussian ? tensor(exponents, dtype: dtype) : null, Cutoff, power);
    }

    /// <summary>In all directions, of lengths from 0.2 A to 1.2 times the cutoff.</summary>
    private static Tensor Vectors(int count)
    {
        using Generator generator = new(3);
        Tensor directions = randn(count, 3, dtype: ScalarType.Float64, generator: generator);
        Tensor lengths = linspace(0.2, 1.2 * Cutoff, count, dtype: ScalarType.Float64).view(-1, 1);
        return directions / directions.norm(1, keepdim: true) * lengths;
    }
}
