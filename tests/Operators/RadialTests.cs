using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class RadialTests
{
    private const double Cutoff = 5;
    private static readonly double[] Distances = [0.3, 1, 2.2, 4.9, 5, 7];

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close() => scope.Dispose();

    [Test]
    public void Gaussians_have_their_closed_form() =>
        Matches(d => GaussianBasis.Apply(d, tensor(new[] { 0.5, 3 }), tensor(new[] { -2.0, -0.7 })),
            d => Math.Exp(-2 * Math.Pow(d - 0.5, 2)), d => Math.Exp(-0.7 * Math.Pow(d - 3, 2)));

    [Test]
    public void Bessel_functions_have_no_norm() =>
        Matches(d => BesselBasis.Apply(d, tensor(new[] { Math.PI / Cutoff, 3 * Math.PI / Cutoff })),
            d => Math.Sin(Math.PI * d / Cutoff) / d, d => Math.Sin(3 * Math.PI * d / Cutoff) / d);

    [Test]
    public void The_cosine_cutoff_has_its_closed_form() =>
        Matches(d => CosineCutoff.Apply(d, Cutoff), d => d < Cutoff ? (Math.Cos(Math.PI * d / Cutoff) + 1) / 2 : 0);

    [Test]
    public void The_polynomial_cutoff_of_power_six_has_its_closed_form() =>
        Matches(d => PolynomialCutoff.Apply(d, Cutoff, 6),
            d => d < Cutoff ? 1 - 28 * Math.Pow(d / Cutoff, 6) + 48 * Math.Pow(d / Cutoff, 7) - 21 * Math.Pow(d / Cutoff, 8) : 0);

    [Test]
    public void Cutoffs_are_exactly_zero_with_zero_slope_from_the_cutoff_on([Values] bool cosine, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        Tensor distances = tensor(new[] { 1, Cutoff, 5.5, 100 }, dtype: dtype).view(-1, 1).requires_grad_();
        Tensor values = cosine ? CosineCutoff.Apply(distances, Cutoff) : PolynomialCutoff.Apply(distances, Cutoff, 6);
        Tensor slope = Gradients.Of([values.sum()], [distances])[0];
        Assert.That(values.narrow(0, 1, 3).abs().max().to(ScalarType.Float64).item<double>(), Is.Zero);
        Assert.That(slope.narrow(0, 2, 2).abs().max().to(ScalarType.Float64).item<double>(), Is.Zero);
        Expect.Below(slope.narrow(0, 1, 1).abs().to(ScalarType.Float64).item<double>(), 1e-5);
        Expect.Below(slope.narrow(0, 0, 1).to(ScalarType.Float64).item<double>(), 0);
    }

    [Test]
    public void Edge_vectors_point_from_receiver_to_the_image_of_the_sender()
    {
        using var edges = new EdgeList([0, 1, 2], [1, 0]);
        Tensor positions = tensor(new double[] { 0, 0, 0, 1, 2, 3 }).view(2, 3);
        Tensor shifts = tensor(new double[] { 10, 0, 0, -10, 0, 0 }).view(2, 3);
        Tensor vectors = EdgeVectors.Apply(positions, edges, shifts);
        Assert.That(vectors.data<double>().ToArray(), Is.EqualTo(new double[] { 11, 2, 3, -11, -2, -3 }));
        Expect.AllClose(EdgeDistances.Apply(vectors).data<double>().ToArray(), Math.Sqrt(134), absolute: 1e-14);
    }

    private static void Matches(Func<Tensor, Tensor> operation, params Func<double, double>[] columns)
    {
        double[] actual = operation(tensor(Distances).view(-1, 1)).data<double>().ToArray();
        double[] expected = [.. Distances.SelectMany(d => columns.Select(f => f(d)))];
        Expect.Close(actual, expected, absolute: 1e-14);
    }
}
