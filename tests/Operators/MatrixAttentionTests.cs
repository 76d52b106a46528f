using ChemScale.Engine;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>
/// Attention in bfloat16 on the CPU's warps, which play the tensor cores, against the composed form in float64 of the same inputs, all
/// of them numbers that bfloat16 has.
/// </summary>
public abstract class MatrixAttentionCases : OperatorFixture
{
    /// <summary>Greatest relative error of rounding to the nearest bfloat16: half of the last of 8 bits.</summary>
    private const double Rounding = 1.0 / 256;

    // For what is second order in the rounding, and for float32: 256 terms of 2^-24 and exponents of 10 or so.
    private const double Slack = 1 + 2 * Rounding;

    private protected virtual KernelDevice Cpu => CpuDevice.Warps;

    /// <summary>Where tensors are.</summary>
    private protected virtual Device Place => CPU;

    [SetUp]
    public void Choose() => TestScope.Device(Cpu);

    [Test]
    public void Molecules_around_the_size_of_a_tile_agree() => Agree([1, 15, 16, 17, 37], 16, 1, 0, 0.7);

    [Test]
    public void Several_heads_agree() => Agree([3, 18], 16, 3, 0, 0.25);

    [TestCase(1)]
    [TestCase(5)]
    [TestCase(16)]
    [TestCase(17)]
    [TestCase(30)]
    public void Windows_agree(int window) => Agree([37, 2], 16, 1, window, 0.5);

    [TestCase(32)]
    [TestCase(64)]
    [TestCase(128)]
    public void Wide_heads_agree(int headWidth) => Agree([17], headWidth, 1, 0, 1 / Math.Sqrt(headWidth));

    [TestCase(1)]
    [TestCase(-0.3)]
    public void Any_scale_agrees(double scale) => Agree([20], 16, 1, 0, scale);

    private void Agree(int[] lengths, int headWidth, int heads, int window, double scale)
    {
        using PackedRows rows = Rows(lengths);
        (Tensor qkv, Tensor gradient) = Random(rows, heads * headWidth);
        (Tensor wide, Tensor wideGradient) = (qkv.to(ScalarType.Float64), gradient.to(ScalarType.Float64));
        (Tensor terms, Tensor gradientTerms) = AttentionTerms.Of(wide, wideGradient, rows, heads, window, scale);
        TestScope.Mode(OperatorMode.Composed);
        (Tensor expected, Tensor expectedGradient) = Run(wide, wideGradient, rows, heads, window, scale, AttentionPrecision.Weights);
        TestScope.Mode(OperatorMode.Kernels);
        (Tensor o, Tensor g) = Run(qkv, gradient, rows, heads, window, scale, AttentionPrecision.Bfloat16);
        double output = Worst(o - expected, terms);
        double[] parts = [.. (g - expectedGradient).chunk(3, 1).Zip(gradientTerms.abs().chunk(3, 1), Worst)];
        TestContext.Out.WriteLine($"of the sums of absolute terms: output {output:e2}, queries {parts[0]:e2}, keys {parts[1]:e2}, values {parts[2]:e2}");
        // p is rounded once on its way to o and to the values' gradients. ds = p (dp - D) is rounded itself, and D has the error of o.
        Expect.Below(output, Rounding * Slack);
        Expect.Below(parts[0], 2 * Rounding * Slack);
        Expect.Below(parts[1], 2 * Rounding * Slack);
        Expect.Below(parts[2], Rounding * Slack);
        // A query with one key weighs it 1, which needs no rounding.
        if (window != 1) Expect.Above(output, Rounding / 64);

        static double Worst(Tensor error, Tensor terms) => (error.abs() / terms).max().item<double>();
    }

    [Test]
    public void Other_inputs_are_rounded_and_nothing_else()
    {
        using PackedRows rows = Rows([18]);
        using Generator generator = new(9);
        Tensor qkv = randn(18, 48, generator: generator).to(Place), gradient = randn(18, 16, generator: generator).to(Place);
        TestScope.Mode(OperatorMode.Kernels);
        (Tensor o, Tensor g) = Run(qkv, gradient, rows, 1, 0, 0.5, AttentionPrecision.Bfloat16);
        (Tensor rounded, Tensor roundedGradient) = Run(Exact(qkv), Exact(gradient), rows, 1, 0, 0.5, AttentionPrecision.Bfloat16);
        Expect.Close(o, rounded);
        Expect.Close(g, roundedGradient);
        Assert.That(Exact(qkv).ne(qkv).any().item<bool>(), Is.True);
    }

    [Test]
    public void Repeats_are_bitwise_equal()
    {
        using PackedRows rows = Rows([18, 1]);
        (Tensor qkv, Tensor gradient) = Random(rows, 16);
        TestScope.Mode(OperatorMode.Kernels);
        (Tensor first, Tensor firstGradient) = Run(qkv, gradient, rows, 1, 7, 1, AttentionPrecision.Bfloat16);
        for (int repeat = 1; repeat < 10; repeat++)
        {
            (Tensor o, Tensor g) = Run(qkv, gradient, rows, 1, 7, 1, AttentionPrecision.Bfloat16);
            Expect.Close(o, first);
            Expect.Close(g, firstGradient);
        }
    }

    [Test]
    public void Second_derivatives_are_those_of_the_composed_form()
    {
        using PackedRows rows = Rows([4]);
        (Tensor qkv, Tensor gradient) = Random(rows, 16);
        TestScope.Mode(OperatorMode.Kernels);
        Tensor[] second = [.. ((AttentionPrecision[])[AttentionPrecision.Bfloat16, AttentionPrecision.Weights]).Select(Second)];
        Expect.Close(second[0], second[1], absolute: 1e-5);

        Tensor Second(AttentionPrecision precision)
        {
            Tensor leaf = qkv.clone().requires_grad_();
            Tensor value = (Attention.Apply(leaf, rows, 1, 0, 0.7, precision) * gradient).sum();
            Tensor slope = Gradients.Of([value], [leaf], retainGraph: true, createGraph: true)[0];
            Tensor result = Gradients.Of([slope.pow(2).sum()], [leaf])[0];
            return result;
        }
    }

    [Test]
    public void Where_it_is_not_to_be_had_it_is_refused_not_replaced()
    {
        using PackedRows rows = Rows([4]);
        Tensor single = zeros(4, 3 * 32);
        Refused(single, 4, "8 wide");
        Refused(single.to(ScalarType.Float64), 2, "Float64");
        TestScope.Mode(OperatorMode.Composed);
        Refused(single, 2, "composed");
        TestScope.Mode(OperatorMode.Host);
        Refused(single, 2, "host");
        TestScope.Mode(OperatorMode.Kernels);
        TestScope.Device(CpuDevice.Scalar);
        Refused(single, 2, "cpu");

        void Refused(Tensor qkv, int heads, string found) => Assert.That(
            () => Attention.Apply(qkv, rows, heads, precision: AttentionPrecision.Bfloat16),
            Throws.TypeOf<InputException>().With.Message.Contains(found).And.Message.Contains("training.attention"));
    }

    private static PackedRows Rows(int[] lengths) => new([0, .. lengths.Select((_, b) => lengths[..(b + 1)].Sum())]);

    private (Tensor Qkv, Tensor Gradient) Random(PackedRows rows, int width)
    {
        using Generator generator = new(7);
        return (Exact(randn(rows.Tokens, 3 * width, generator: generator)).to(Place), Exact(randn(rows.Tokens, width, generator: generator)).to(Place));
    }

    private static Tensor Exact(Tensor x) => x.to(ScalarType.BFloat16).to(ScalarType.Float32);

    private static (Tensor Output, Tensor Gradient) Run(
        Tensor qkv, Tensor gradient, PackedRows rows, int heads, int window, double scale, AttentionPrecision precision)
    {
        Tensor leaf = qkv.detach().clone().requires_grad_();
        Tensor output = Attention.Apply(leaf, rows, heads, window, scale, precision);
        Gradients.Backward(output, gradient);
        return (output.detach().to(ScalarType.Float64), leaf.grad!.to(ScalarType.Float64));
    }
}

/// <summary>The same on warps of threads, which take sixty times as long as interpreted ones: for the emulated unit alone.</summary>
[Category("Slow")]
public class MatrixAttentionTests : MatrixAttentionCases;
