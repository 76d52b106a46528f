using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;

namespace ChemScale.Engine.Scaling.Intervals;

/// <summary>
/// Profile-likelihood intervals: all values of a parameter, or of a prediction, whose best fit is not worse than the overall best by more
/// than
/// noise allows, 2 (F - Fbest) / s^2 at most Student's t squared with n - p degrees of freedom (exact for straight lines). With Huber's
/// loss,
/// s^2 is the robust scale of Schrader and Hettmansperger 1980, and the interval approximate.
/// </summary>
public static class ProfileLikelihood
{
    /// <summary>
    /// Of a parameter of the formula. An end that the data leave open is null, or 0 where the parameter is positive by
    /// nature.
    /// </summary>
    public static ParameterInterval Parameter(ScalingFit fit, string name, double level = 0.95)
    {
        int index = fit.Family.Parameters.ToList().FindIndex(p => p.Name == name);
        if (index < 0) throw new InputException("parameter", name, string.Join(", ", fit.Family.Parameters.Select(p => p.Name)));
        ParameterInfo info = fit.Family.Parameters[index];
        ConfidenceInterval interval = new ProfilePath(fit, new Coordinate(fit.Theta.Count, index)).Interval(level);
        double? low = interval.Low is { } l ? info.Natural(l) : info.Scale == ParameterScale.Logarithmic ? 0 : null;
        return new ParameterInterval(name, fit.Parameters[index].Value, low, interval.High is { } h ? info.Natural(h) : null, level);
    }

    /// <summary>Of every parameter.</summary>
    public static IReadOnlyList<ParameterInterval> Parameters(ScalingFit fit, double level = 0.95) =>
        [.. fit.Family.Parameters.Select(p => Parameter(fit, p.Name, level))];

    /// <summary>Of the fitted curve's loss at some resources, in the order of the fit's.</summary>
    public static ConfidenceInterval Curve(ScalingFit fit, double level, params double[] resources)
    {
        if (resources.Length != fit.Family.Inputs)
            throw new ArgumentException($"{resources.Length} resources, {fit.Family.Inputs} expected", nameof(resources));
        ConfidenceInterval log = new ProfilePath(fit, new CurvePoint(fit.Family, [.. resources.Select(r => Math.Log(r))])).Interval(level);
        return new ConfidenceInterval(log.Low is { } l ? Math.Exp(l) : null, log.High is { } h ? Math.Exp(h) : null, level);
    }

    private sealed class Coordinate(int dimension, int index) : ISmoothObjective
    {
        public int Dimension => dimension;

        public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian)
        {
            gradient.Clear();
            hessian.Clear();
            gradient[index] = 1;
            return x[index];
        }
    }

    private sealed class CurvePoint(ScalingFamily family, double[] logResources) : ISmoothObjective
    {
        public int Dimension => family.Parameters.Count;

        public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian) =>
            family.LogLoss(x, logResources, gradient, hessian);
    }
}
