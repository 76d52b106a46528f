using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class TrustRegionTests
{
    [Test]
    public void Rosenbrocks_valley_is_followed_to_its_end()
    {
        Minimum found = new TrustRegion(2).Minimize(new Rosenbrock(), [-1.2, 1]);
        Expect.Close(found.Point[0], 1, absolute: 1e-12);
        Expect.Close(found.Point[1], 1, absolute: 1e-12);
        Expect.Below(found.GradientNorm, 1e-12);
        Expect.Below(found.Iterations, 40);
    }

    [Test]
    public void A_saddle_is_left_even_where_the_gradient_vanishes_along_the_way_down()
    {
        Minimum found = new TrustRegion(2).Minimize(new DoubleWell(), [0.5, 0]);
        Expect.Close(Math.Abs(found.Point[1]), 1, absolute: 1e-10);
        Expect.Close(found.Point[0], 0, absolute: 1e-10);
    }

    [Test]
    public void A_start_outside_the_domain_is_reported_as_infinite() =>
        Assert.That(new TrustRegion(2).Minimize(new Rosenbrock(), [double.NaN, 0]).Value, Is.EqualTo(double.PositiveInfinity));

    [Test]
    public void Eigenvectors_rebuild_a_random_symmetric_matrix([Values(1, 2, 5, 7)] int n)
    {
        var random = new CounterRandom(3, (ulong)n);
        double[] matrix = new double[n * n];
        for (int i = 0; i < n; i++) for (int j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = random.NextNormal();
        double[] values = [.. matrix], vectors = new double[n * n];
        SymmetricEigen.Decompose(values, vectors, n);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double rebuilt = 0, product = 0;
                for (int k = 0; k < n; k++)
                {
                    rebuilt += vectors[i * n + k] * values[k * n + k] * vectors[j * n + k];
                    product += vectors[k * n + i] * vectors[k * n + j];
                }
                Expect.Close(rebuilt, matrix[i * n + j], absolute: 1e-13);
                Expect.Close(product, i == j ? 1 : 0, absolute: 1e-14);
            }
        }
    }

    private sealed class Rosenbrock : ISmoothObjective
    {
        public int Dimension => 2;

        public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian)
        {
            double a = 1 - x[0], b = x[1] - x[0] * x[0];
            gradient[0] = -2 * a - 400 * x[0] * b;
            gradient[1] = 200 * b;
            hessian[0] = 2 - 400 * b + 800 * x[0] * x[0];
            hessian[1] = hessian[2] = -400 * x[0];
            hessian[3] = 200;
            return a * a + 100 * b * b;
        }
    }

    // x^2 + (y^2 - 1)^2: at y = 0 nothing pulls along y.
    private sealed class DoubleWell : ISmoothObjective
    {
        public int Dimension => 2;

        public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian)
        {
            double w = x[1] * x[1] - 1;
            gradient[0] = 2 * x[0];
            gradient[1] = 4 * x[1] * w;
            hessian[0] = 2;
            hessian[1] = hessian[2] = 0;
            hessian[3] = 4 * w + 8 * x[1] * x[1];
            return x[0] * x[0] + w * w;
        }
    }
}
