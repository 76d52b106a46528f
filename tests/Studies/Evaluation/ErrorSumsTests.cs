using ChemScale.Engine.Studies.Evaluation;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Evaluation;

public sealed class ErrorSumsTests
{
    [Test]
    public void Figures_agree_with_their_definitions()
    {
        var random = new Random(5);
        double[] errors = [.. Enumerable.Range(0, 1000).Select(_ => random.NextDouble() - 0.3)];
        var sums = new ErrorSums();
        foreach (double error in errors) sums.Add(error);
        ErrorFigures figures = sums.Figures!;
        double mean = errors.Average();
        Assert.Multiple(() =>
        {
            Assert.That(figures.Count, Is.EqualTo(1000));
            Expect.Close(figures.Mae, errors.Average(Math.Abs), absolute: 1e-14);
            // Another road to the same number: the variance and the mean.
            Expect.Close(figures.Rmse, Math.Sqrt(errors.Average(e => (e - mean) * (e - mean)) + mean * mean), absolute: 1e-14);
            Expect.Close(figures.Bias, mean, absolute: 1e-14);
            Assert.That(figures.Largest, Is.EqualTo(errors.Max(Math.Abs)));
            Assert.That(figures.Times(2).Rmse, Is.EqualTo(2 * figures.Rmse));
        });
    }

    [Test]
    public void Nothing_added_has_no_figures() => Assert.That(new ErrorSums().Figures, Is.Null);
}
