using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Operators.Transformer;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>A language model's two ends on the CPU, head with loss and embedding, against library operations.</summary>
public class HeadLossTests : OperatorFixture
{
    private static readonly string[] Names = ["x", "norm weight", "norm bias", "table"];

    [TestCase(16, 5, 1.0)]
    [TestCase(32, 684, 1.0)]
    [TestCase(48, 33, 0.25)]
    public void Loss_and_gradients_are_those_of_the_operations(int width, int vocabulary, double scale)
    {
        foreach (ScalarType type in (ScalarType[])[ScalarType.Float64, ScalarType.Float32])
        {
            using var rows = new PackedRows([0, 1, 9, 50, 87, 120, 121, 300, 400]);
            Tensor[] inputs = Inputs(rows.Tokens, width, vocabulary, type);
            Tensor targets = Targets(rows, vocabulary);
            Tensor[] expected = All(OperatorMode.Composed), found = All(OperatorMode.Host);
            for (int i = 0; i < expected.Length; i++)
            {
                double size = expected[i].abs().max().to(ScalarType.Float64).item<double>(), tolerance = type == ScalarType.Float64 ? 1e-12 : 1e-5;
                Expect.Close(found[i].to(ScalarType.Float64), expected[i].to(ScalarType.Float64), absolute: tolerance * size, message: i == 0 ? "loss" : Names[i - 1]);
            }

            Tensor[] All(OperatorMode mode)
            {
                TestScope.Mode(mode);
                Tensor[] leaves = [.. inputs.Select(t => t.detach().requires_grad_())];
                // A factor behind the loss, as the weight of a micro-batch is one.
                Tensor loss = HeadLoss.Apply(leaves[0], leaves[1], leaves[2], leaves[3], targets, rows, 1e-5, scale);
                using (no_grad()) Expect.Close(HeadLoss.Apply(leaves[0], leaves[1], leaves[2], leaves[3], targets, rows, 1e-5, scale), loss.detach());
                return [loss.detach(), .. Gradients.Of([loss * 1.5], leaves)];
            }
        }
    }

    [Test]
    public void Every_derivative_matches_finite_differences()
    {
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 3, 5]);
        Tensor targets = tensor(new long[] { 2, CrossEntropy.Ignored, 0, 4, CrossEntropy.Ignored });
        var operation = new Operation(Names, Inputs(rows.Tokens, 8, 5, ScalarType.Float64), all => [HeadLoss.Apply(all[0], all[1], all[2], all[3], targets, rows, 1e-5, 0.7)]);
        operation.MatchesFiniteDifferences();
        operation.Gradient.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: false);
    }

    [Test]
    public void Without_a_token_that_counts_the_loss_is_no_number_and_a_target_beyond_the_vocabulary_is_refused()
    {
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 2]);
        Tensor[] i = Inputs(rows.Tokens, 16, 5, ScalarType.Float32);
        Assert.That(Loss(CrossEntropy.Ignored, CrossEntropy.Ignored), Is.NaN);
        Assert.That(() => Loss(1, 5), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Loss(-1, 0), Throws.TypeOf<ArgumentOutOfRangeException>());

        float Loss(long first, long second) => HeadLoss.Apply(i[0], i[1], i[2], i[3], tensor(new[] { first, second }), rows, 1e-5, 1).item<float>();
    }

    [Test]
    public void Embeddings_are_rows_added_and_so_are_their_gradients([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType type)
    {
        Tensor ids = tensor(new long[] { 3, 0, 3, 6, 3 }), positions = tensor(new long[] { 0, 1, 2, 0, 1 });
        Tensor[] tables = [Operation.Normal(zeros(7, 19, dtype: type), 1), Operation.Normal(zeros(4, 19, dtype: type), 2)];
        Tensor[] expected = All(OperatorMode.Composed), found = All(OperatorMode.Host);
        for (int i = 0; i < expected.Length; i++) Expect.Close(found[i].to(ScalarType.Float64), expected[i].to(ScalarType.Float64), absolute: 1e-6);
        Assert.That(() => TokenEmbedding.Apply(ids, positions + 3, tables[0], tables[1]), Throws.TypeOf<ArgumentOutOfRangeException>());

        Tensor[] All(OperatorMode mode)
        {
            TestScope.Mode(mode);
            Tensor[] leaves = [.. tables.Select(t => t.detach().requires_grad_())];
            Tensor x = TokenEmbedding.Apply(ids, positions, leaves[0], leaves[1]);
            return [x.detach(), .. Gradients.Of([x], leaves, [Operation.Normal(x, 3)])];
        }
    }

    private static Tensor Targets(PackedRows rows, int vocabulary)
    {
        var random = new Random(3);
        long[] targets = [.. Enumerable.Range(0, rows.Tokens).Select(_ => (long)random.Next(vocabulary))];
        for (int b = 1; b < rows.Starts.Length; b++) targets[rows.Starts[b] - 1] = CrossEntropy.Ignored;
        return tensor(targets);
    }

    private static Tensor[] Inputs(long tokens, long h, long vocabulary, ScalarType type) =>
    [
        Operation.Normal(zeros(tokens, h, dtype: type), 1), 1 + 0.2 * Operation.Normal(zeros(h, dtype: type), 2), 0.2 * Operation.Normal(zeros(h, dtype: type), 3),
        Operation.Normal(zeros(vocabulary, h, dtype: type), 4),
    ];
}
