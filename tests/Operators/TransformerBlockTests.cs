using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Operators.Transformer;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>A layer of ChemGPT in one pass on the CPU, against its operations one by one.</summary>
public class TransformerBlockTests : OperatorFixture
{
    private static readonly string[] Names =
        ["x", "norm1 weight", "norm1 bias", "qkv", "projection", "projection bias", "norm2 weight", "norm2 bias", "expand", "expand bias", "contract", "contract bias"];

    // Heads, width, inner width, window: heads in lanes of every width, in groups, odd ones that are gathered, few heads with queries as lanes.
    private static readonly object[] Shapes =
    [
        new object[] { 16, 16, 64, 0 }, new object[] { 16, 32, 48, 5 }, new object[] { 32, 96, 64, 0 }, new object[] { 16, 80, 32, 7 }, new object[] { 8, 32, 32, 0 },
        new object[] { 4, 64, 64, 6 }, new object[] { 12, 48, 64, 0 }, new object[] { 1, 16, 16, 3 }, new object[] { 16, 128, 512, 0 }, new object[] { 2, 32, 32, 0 },
    ];

    [TestCaseSource(nameof(Shapes))]
    public void Outputs_and_gradients_are_those_of_the_operations(int heads, int width, int inner, int window)
    {
        foreach (ScalarType type in (ScalarType[])[ScalarType.Float64, ScalarType.Float32])
        {
            using var rows = new PackedRows([0, 1, 9, 50, 87, 120, 121, 300]);
            Tensor[] inputs = Inputs(rows.Tokens, width, inner, type);
            var settings = new TransformerSettings(heads, window, 0.9, 1e-5);
            Assert.That(TransformerBlockHost.Has(settings, BlockWeights.Of(inputs), inputs[0]), Is.True);
            Tensor[] expected = All(OperatorMode.Composed, settings, rows, inputs), found = All(OperatorMode.Host, settings, rows, inputs);
            for (int i = 0; i < expected.Length; i++)
            {
                double size = expected[i].abs().max().to(ScalarType.Float64).item<double>();
                double tolerance = type == ScalarType.Float64 ? 1e-12 : 2e-5;
                Expect.Close(found[i].to(ScalarType.Float64), expected[i].to(ScalarType.Float64), absolute: tolerance * (1 + size), message: i == 0 ? "output" : Names[i - 1]);
            }
        }
    }

    [Test]
    public void Every_derivative_matches_finite_differences()
    {
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 3, 4]);
        var settings = new TransformerSettings(8, 2, 0.7, 1e-5);
        var operation = new Operation(Names, Inputs(rows.Tokens, 8, 8, ScalarType.Float64), all => [TransformerBlock.Apply(settings, rows, all[0], BlockWeights.Of(all))]);
        operation.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: true);
    }

    [Test]
    public void Derivatives_of_derivatives_are_those_of_the_composed_form()
    {
        using var rows = new PackedRows([0, 5, 7]);
        var settings = new TransformerSettings(8, 0, 1, 1e-5);
        Tensor[] at = Inputs(rows.Tokens, 16, 16, ScalarType.Float64);
        Tensor[] found = Second(OperatorMode.Host), expected = Second(OperatorMode.Composed);
        for (int i = 0; i < found.Length; i++) Expect.Close(found[i], expected[i], absolute: 1e-10, relative: 1e-9, message: Names[i]);
        Expect.AtLeast(found.Count(t => t.count_nonzero().item<long>() > 0), 10);

        Tensor[] Second(OperatorMode mode)
        {
            TestScope.Mode(mode);
            Tensor[] leaves = [.. at.Select(t => t.detach().requires_grad_())];
            Tensor output = TransformerBlock.Apply(settings, rows, leaves[0], BlockWeights.Of(leaves));
            IList<Tensor> first = Gradients.Of([output], leaves, [Operation.Normal(output, 5)], retainGraph: true, createGraph: true);
            Tensor sum = first.Select((g, i) => (g * Operation.Normal(g, 20 + i)).sum()).Aggregate((a, b) => a + b);
            // The last bias is in no derivative.
            return [.. Gradients.Of([sum], leaves, allowUnused: true).Select((t, i) => t is { IsInvalid: false } ? t : zeros_like(at[i]))];
        }
    }

    [TestCase(16, 32)]
    [TestCase(4, 64)]
    public void The_number_of_threads_changes_no_bit(int heads, int width)
    {
        // Six parts of molecules, one of them a single long one.
        using var rows = new PackedRows([0, 40, 80, 125, 170, 210, 700, 733, 770, 800, 850, 900, 950]);
        Tensor[] inputs = Inputs(rows.Tokens, width, 4 * width, ScalarType.Float32);
        var settings = new TransformerSettings(heads, 256, 1, 1e-5);
        int before = get_num_threads();
        try
        {
            set_num_threads(1);
            Tensor[] alone = All(OperatorMode.Host, settings, rows, inputs);
            foreach (int threads in (int[])[2, 3, 5])
            {
                set_num_threads(threads);
                for (int repeat = 0; repeat < 5; repeat++)
                {
                    Tensor[] together = All(OperatorMode.Host, settings, rows, inputs);
                    for (int i = 0; i < alone.Length; i++) Assert.That(together[i].Equals(alone[i]), $"result {i} with {threads} threads");
                }
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Test]
    public void Molecules_are_cut_into_even_parts_by_their_lengths_alone([Values(1, 3, 160, 100000)] int tokens)
    {
        int[] starts = [0, 1, 2, 40, 41, 300, 310, 350, 360, 720, 721];
        using var rows = new PackedRows(starts);
        int[] parts = rows.Parts(tokens);
        Assert.That(parts[0], Is.Zero);
        Assert.That(parts[^1], Is.EqualTo(rows.Molecules));
        Expect.Ascending(parts);
        Assert.That(parts, Is.Unique);
        int longest = rows.Longest;
        for (int i = 1; i < parts.Length; i++)
            Assert.That(starts[parts[i]] - starts[parts[i - 1]] <= Math.Max(tokens, 1) + 2 * longest, $"part {i - 1} of {parts.Length - 1}");
        if (tokens >= rows.Tokens) Assert.That(parts, Has.Length.EqualTo(2));
    }

    private static Tensor[] All(OperatorMode mode, TransformerSettings settings, PackedRows rows, Tensor[] inputs)
    {
        TestScope.Mode(mode);
        Tensor[] leaves = [.. inputs.Select(t => t.detach().requires_grad_())];
        Tensor output = TransformerBlock.Apply(settings, rows, leaves[0], BlockWeights.Of(leaves));
        return [output.detach(), .. Gradients.Of([output], leaves, [Operation.Normal(output, 4)])];
    }

    private static Tensor[] Inputs(long tokens, long h, long n, ScalarType type)
    {
        Tensor Random(int seed, double mean, double spread, params long[] shape) => Operation.Normal(zeros(shape, dtype: type), seed) * spread + mean;
        double s = 1 / Math.Sqrt(h);
        return
        [
            Random(1, 0.3, 1, tokens, h), Random(2, 1, 0.2, h), Random(3, 0, 0.2, h), Random(4, 0, s, 3 * h, h), Random(5, 0, s, h, h), Random(6, 0, 0.2, h),
            Random(7, 1, 0.2, h), Random(8, 0, 0.2, h), Random(9, 0, s, n, h), Random(10, 0, 0.3, n), Random(11, 0, 1 / Math.Sqrt(n), h, n), Random(12, 0, 0.2, h),
        ];
    }
}
