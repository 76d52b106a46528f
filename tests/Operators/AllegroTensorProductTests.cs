using ChemScale.Engine.Models;
using ChemScale.Engine.Models.Equivariant;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Tests.Models.Equivariant;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class AllegroTensorProductTests
{
    private const int Channels = 3;

    private DisposeScope scope = null!;
    private EdgeList edges = null!;

    [SetUp]
    public void Open()
    {
        scope = NewDisposeScope();
        edges = new EdgeList([0, 2, 2, 5], [1, 2, 0, 1, 1]);
    }

    [TearDown]
    public void Close()
    {
        edges.Dispose();
        scope.Dispose();
    }

    [TestCase(false)]
    [TestCase(true)]
    public void It_is_the_sum_of_its_terms(bool diagonal)
    {
        TensorProductEntry[] entries = diagonal
            ? [new(0, 0, 0, 0.5), new(0, 2, 2, -2), new(1, 1, 1, 3)]
            : [new(0, 0, 3, 0.5), new(0, 2, 1, -2), new(1, 1, 0, 3), new(3, 2, 3, 1.5), new(3, 2, 3, 1)];
        int left = 3, right = diagonal ? 3 : 4, outputs = 4;
        using var table = new TensorProductTable([1, left - 1], right, outputs, entries, ScalarType.Float64);
        Assert.That(table.IsDiagonal, Is.EqualTo(diagonal));
        AssertSumOfTerms(table);
    }

    [TestCase(2, 3)]
    [TestCase(3, 2)]
    public void It_is_the_sum_of_its_terms_however_many_paths_there_are(int order, int layers)
    {
        foreach (AllegroPaths paths in AllegroPaths.Plan(order, layers))
        {
            using TensorProductTable table = paths.Table(ScalarType.Float64);
            AssertSumOfTerms(table);
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void It_turns_with_rotations_and_reflections_of_its_factors(bool mirrored)
    {
        foreach (AllegroPaths paths in AllegroPaths.Plan(3, 3))
        {
            using TensorProductTable table = paths.Table(ScalarType.Float64);
            Tensor x = Random(1, 5, table.Left), y = Random(2, 3, table.Right);
            Tensor after = AllegroTensorProduct.Apply(Turned(x, paths.Features), Turned(y, paths.Environments), edges, table);
            // A component's paths lie side by side: components turn with a channel for each path.
            long[] sizes = [.. paths.Outputs.Zip(paths.Counts, (o, n) => (long)o.Components * n)];
            Tensor before = cat([.. AllegroTensorProduct.Apply(x, y, edges, table).split(sizes, 1).Select((b, o) =>
                Turned(b.reshape(5, paths.Outputs[o].Components, -1), [paths.Outputs[o]]).reshape(b.shape))], 1);
            Expect.Close(after, before, ofLargest: 1e-13);
        }

        Tensor Turned(Tensor values, IReadOnlyList<Irrep> irreps)
        {
            Tensor[] parts = values.split([.. irreps.Select(i => (long)i.Components)], 1);
            return cat([.. parts.Select((part, i) => Matrix(irreps[i]).matmul(part))], 1);
        }

        Tensor Matrix(Irrep irrep)
        {
            // Inversion is a factor; what is left of a reflection is a rotation.
            using var harmonics = new SphericalHarmonics(3, HarmonicScale.Component, ScalarType.Float64);
            Tensor vectors = Random(3, 20, 3).select(2, 0), turned = vectors.matmul(Rotations.Proper(4).t());
            Tensor from = Part(harmonics.Of(vectors)), to = Part(harmonics.Of(turned));
            Tensor rotation = linalg.pinv(from).matmul(to).t();
            return mirrored ? rotation * irrep.Parity : rotation;

            Tensor Part(Tensor all) => all.narrow(1, irrep.Order * irrep.Order, irrep.Components);
        }
    }

    [Test]
    public void First_and_second_derivatives_match_finite_differences()
    {
        foreach (AllegroPaths paths in AllegroPaths.Plan(2, 2))
        {
            using TensorProductTable table = paths.Table(ScalarType.Float64);
            Tensor x = Random(1, 5, table.Left).requires_grad_(), y = Random(2, 3, table.Right).requires_grad_();
            Tensor dx = Random(3, 5, table.Left), dy = Random(4, 3, table.Right);
            Expect.Close(Along(Value), Slope(Value), relative: 1e-10);
            Expect.Close(Along(SquaredGradient), Slope(SquaredGradient), relative: 1e-09);

            Tensor Value(Tensor a, Tensor b) => AllegroTensorProduct.Apply(a, b, edges, table).square().sum();

            Tensor SquaredGradient(Tensor a, Tensor b)
            {
                IList<Tensor> g = Gradients.Of([Value(a, b)], [a, b], retainGraph: true, createGraph: true);
                return g[0].square().sum() + g[1].square().sum();
            }

            double Along(Func<Tensor, Tensor, Tensor> f)
            {
                IList<Tensor> g = Gradients.Of([f(x, y)], [x, y]);
                return ((g[0] * dx).sum() + (g[1] * dy).sum()).item<double>();
            }

            double Slope(Func<Tensor, Tensor, Tensor> f)
            {
                const double H = 1e-3;
                return (8 * (At(H) - At(-H)) - (At(2 * H) - At(-2 * H))) / (12 * H);

                double At(double h) => f((x + h * dx).detach().requires_grad_(), (y + h * dy).detach().requires_grad_()).item<double>();
            }
        }
    }

    [Test]
    public void Environments_sum_the_weighted_harmonics_of_an_atoms_edges()
    {
        Tensor weights = Random(1, 5, 2), harmonics = Random(2, 5, 4).select(2, 0), orders = tensor(new long[] { 0, 1, 1, 1 });
        Tensor sums = AllegroEnvironment.Apply(weights, harmonics, orders, edges);
        Assert.That(sums.shape, Is.EqualTo(new long[] { 3, 4, Channels }));
        Assert.That(sums[1].abs().max().item<double>(), Is.Zero);
        double expected = Enumerable.Range(2, 3).Sum(e => weights[e, 1, 2].item<double>() * harmonics[e, 3].item<double>());
        Expect.Close(sums[2, 3, 2].item<double>(), expected, absolute: 1e-14);
    }

    [Test]
    public void Terms_of_missing_components_are_refused() =>
        Assert.That(() => new TensorProductTable([2], 3, 1, [new(0, 1, 3, 1)], ScalarType.Float64),
            Throws.TypeOf<ArgumentOutOfRangeException>());

    private void AssertSumOfTerms(TensorProductTable table)
    {
        Tensor x = Random(1, 5, table.Left), y = Random(2, 3, table.Right), product = AllegroTensorProduct.Apply(x, y, edges, table);
        double[] left = [.. x.data<double>()], right = [.. y.data<double>()];
        var expected = new double[5, table.Outputs, Channels];
        long[] receivers = [.. edges.Receivers.data<long>()];
        for (int e = 0; e < 5; e++)
        {
            foreach (TensorProductEntry t in table.Entries)
            {
                long i = (e * table.Left + t.Left) * Channels, j = (receivers[e] * table.Right + t.Right) * Channels;
                for (int u = 0; u < Channels; u++) expected[e, t.Output, u] += t.Value * left[i + u] * right[j + u];
            }
        }
        Expect.Close(product, tensor(expected), absolute: 1e-13);
    }

    private static Tensor Random(ulong seed, int rows, int components) =>
        randn([rows, components, Channels], dtype: ScalarType.Float64, generator: new Generator(seed));
}
