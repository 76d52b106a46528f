using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Operators.Transformer;
using ChemScale.Engine.Training.Optimization;
using NUnit.Framework;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Operators;

/// <summary>Layers of ChemGPT in one pass on the CPU, against their operations one by one.</summary>
public class TransformerStackTests : OperatorFixture
{
    private static readonly string[] OfLayer =
        ["norm1 weight", "norm1 bias", "qkv", "projection", "projection bias", "norm2 weight", "norm2 bias", "expand", "expand bias", "contract", "contract bias"];

    private static readonly string[] Names = ["x", .. OfLayer.Select(n => "first " + n), .. OfLayer.Select(n => "second " + n)];

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
            TransformerSettings[] settings = Settings(heads, window, 0.9);
            Assert.That(TransformerStackHost.Has(heads, BlockWeights.Of(inputs)[0], inputs[0]), Is.True);
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
        TransformerSettings[] settings = Settings(8, 2, 0.7);
        var operation = new Operation(Names, Inputs(rows.Tokens, 8, 8, ScalarType.Float64), all => [TransformerStack.Apply(settings, rows, all[0], BlockWeights.Of(all))]);
        operation.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: true);
    }

    [Test]
    public void Derivatives_of_derivatives_are_those_of_the_composed_form()
    {
        using var rows = new PackedRows([0, 5, 7]);
        TransformerSettings[] settings = Settings(8, 0, 1);
        Tensor[] at = Inputs(rows.Tokens, 16, 16, ScalarType.Float64);
        Tensor[] found = Second(OperatorMode.Host), expected = Second(OperatorMode.Composed);
        for (int i = 0; i < found.Length; i++) Expect.Close(found[i], expected[i], absolute: 1e-10, relative: 1e-9, message: Names[i]);
        Expect.AtLeast(found.Count(t => t.count_nonzero().item<long>() > 0), 21);

        Tensor[] Second(OperatorMode mode)
        {
            TestScope.Mode(mode);
            Tensor[] leaves = [.. at.Select(t => t.detach().requires_grad_())];
            Tensor output = TransformerStack.Apply(settings, rows, leaves[0], BlockWeights.Of(leaves));
            IList<Tensor> first = Gradients.Of([output], leaves, [Operation.Normal(output, 5)], retainGraph: true, createGraph: true);
            Tensor sum = first.Select((g, i) => (g * Operation.Normal(g, 20 + i)).sum()).Aggregate((a, b) => a + b);
            // The last bias is in no derivative.
            return [.. Gradients.Of([sum], leaves, allowUnused: true).Select((t, i) => t is { IsInvalid: false } ? t : zeros_like(at[i]))];
        }
    }

    [NonParallelizable]
    [TestCase(16, 32)]
    [TestCase(4, 64)]
    public void The_number_of_threads_changes_no_bit(int heads, int width)
    {
        // Six parts of molecules, one of them a single long one.
        using var rows = new PackedRows([0, 40, 80, 125, 170, 210, 700, 733, 770, 800, 850, 900, 950]);
        Tensor[] inputs = Inputs(rows.Tokens, width, 4 * width, ScalarType.Float32);
        TransformerSettings[] settings = Settings(heads, 256, 1);
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

    [NonParallelizable]
    [TestCase(6)]
    [TestCase(40)]
    public void Gradients_added_up_in_their_places_are_the_same_bits_for_any_number_of_threads(int molecules)
    {
        // With 40 molecules more parts than shares.
        using var rows = new PackedRows([.. Enumerable.Range(0, molecules + 1).Select(b => 120 * b)]);
        Tensor[] inputs = Inputs(rows.Tokens, 16, 32, ScalarType.Float32);
        TransformerSettings[] settings = Settings(16, 50, 1);
        Tensor[] expected = All(OperatorMode.Composed, settings, rows, inputs)[2..];
        int before = get_num_threads();
        try
        {
            Tensor[] alone = Added(1);
            for (int i = 0; i < alone.Length; i++)
            {
                double size = expected[i].abs().max().item<float>();
                Expect.Close(alone[i].to(ScalarType.Float64), expected[i].to(ScalarType.Float64) * 2, absolute: 1e-4 * (1 + size), message: Names[i + 1]);
            }
            foreach (int threads in (int[])[2, 3])
            {
                Tensor[] together = Added(threads);
                for (int i = 0; i < alone.Length; i++) Assert.That(together[i].Equals(alone[i]), $"{Names[i + 1]} with {threads} threads");
            }
        }
        finally
        {
            set_num_threads(before);
        }

        Tensor[] Added(int threads)
        {
            set_num_threads(threads);
            TestScope.Mode(OperatorMode.Host);
            Parameter[] weights = [.. inputs[1..].Select(t => new Parameter(t.detach().clone()))];
            using var flat = new FlatParameters(weights);
            flat.Clear();
            for (int time = 0; time < 2; time++)
            {
                Tensor output = TransformerStack.Apply(settings, rows, inputs[0], BlockWeights.Of([inputs[0], .. weights]));
                flat.Backward((output * Operation.Normal(output, 4)).sum());
            }
            flat.Collect();
            return [.. weights.Select((_, i) => flat.Gradient(i).clone())];
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

    private static Tensor[] All(OperatorMode mode, TransformerSettings[] settings, PackedRows rows, Tensor[] inputs)
    {
        TestScope.Mode(mode);
        Tensor[] leaves = [.. inputs.Select(t => t.detach().requires_grad_())];
        Tensor output = TransformerStack.Apply(settings, rows, leaves[0], BlockWeights.Of(leaves));
        return [output.detach(), .. Gradients.Of([output], leaves, [Operation.Normal(output, 4)])];
    }

    /// <summary>A layer that sees all, and one that has the window.</summary>
    private static TransformerSettings[] Settings(int heads, int window, double scale) => [new(heads, 0, scale, 1e-5), new(heads, window, scale, 1e-5)];

    private static Tensor[] Inputs(long tokens, long h, long n, ScalarType type)
    {
        Tensor Random(int seed, double mean, double spread, params long[] shape) => Operation.Normal(zeros(shape, dtype: type), seed) * spread + mean;
        double s = 1 / Math.Sqrt(h);
        return [Random(1, 0.3, 1, tokens, h), .. Layer(0), .. Layer(20)];

        Tensor[] Layer(int seed) =>
        [
            Random(seed + 2, 1, 0.2, h), Random(seed + 3, 0, 0.2, h), Random(seed + 4, 0, s, 3 * h, h), Random(seed + 5, 0, s, h, h), Random(seed + 6, 0, 0.2, h),
            Random(seed + 7, 1, 0.2, h), Random(seed + 8, 0, 0.2, h), Random(seed + 9, 0, s, n, h), Random(seed + 10, 0, 0.3, n),
            Random(seed + 11, 0, 1 / Math.Sqrt(n), h, n), Random(seed + 12, 0, 0.2, h),
        ];
    }
}
