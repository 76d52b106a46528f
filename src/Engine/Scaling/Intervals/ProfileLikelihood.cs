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
internal static class ProfileLikelihood
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

    /// <summary>Of any smooth function of the fitted parameters.</summary>
    public static ConfidenceInterval Of(ScalingFit fit, ISmoothObjective function, double level = 0.95) => new ProfilePath(fit, function).Interval(level);

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

/// <summary>
/// The best objective F for each value of a function g of the parameters. A minimum of F + (kappa / 2) (g - target)^2 has the least F
/// among all
/// parameters of its own g, for any kappa: so each minimisation gives one exact point (g, F) of the profile.
/// </summary>
internal sealed class ProfilePath
{
    // Of log residuals, squared.
    private const double NoScatter = 1e-24;

    private readonly ScalingFit fit;
    private readonly ISmoothObjective function;
    private readonly FitObjective whole;
    private readonly FitObjective? withoutAbsent;
    private readonly TrustRegion region;
    private readonly TrustRegion? smaller;
    private readonly double scale;
    private readonly int degrees;
    private readonly double centre;
    private readonly double width;
    private readonly double[] origin;

    public ProfilePath(ScalingFit fit, ISmoothObjective function)
    {
        this.fit = fit;
        this.function = function;
        var data = ScalingData.Of(fit.Points, fit.Resources);
        int n = fit.Theta.Count;
        origin = [.. fit.Theta];
        bool absent = origin.Any(t => t <= VanishingTerm.Absent);
        whole = new FitObjective(fit.Family, data, fit.Loss);
        region = Region(n);
        if (absent)
        {
            withoutAbsent = new FitObjective(fit.Family, data, fit.Loss,
                [.. origin.Select(t => t <= VanishingTerm.Absent ? t : double.NaN)]);
            smaller = Region(withoutAbsent.Dimension);
        }
        degrees = Math.Max(1, data.Count - n);
        double squares = 0, curvatures = 0;
        for (int i = 0; i < data.Count; i++)
        {
            double r = fit.Residuals[i].LogResidual, slope = fit.Loss.Slope(r);
            squares += data.Weight[i] * slope * slope;
            curvatures += data.Weight[i] * fit.Loss.Curvature(r);
        }
        scale = squares / degrees / (Math.Max(curvatures, 1e-3 * data.Weight.Sum()) / data.Weight.Sum());
        double[] gradient = new double[n], hessian = new double[n * n];
        centre = function.Evaluate(origin, gradient, hessian);
        // An absent parameter has no centre: begin where its term is a hundredth of the least loss.
        if (centre <= VanishingTerm.Absent) centre = Math.Log(0.01 * fit.Points.Min(p => p.Loss));
        width = StandardError();
    }

    public ConfidenceInterval Interval(double level)
    {
        if (level is not (> 0 and < 1)) throw new InputException("level", $"{level}", "a number in (0, 1)");
        // Points on the law to rounding: no scatter, no width, and a likelihood that is rounding alone.
        if (!(scale > NoScatter))
        {
            int n = origin.Length;
            double exact = function.Evaluate(origin, new double[n], new double[n * n]);
            return new ConfidenceInterval(exact, exact, level);
        }
        double t = Distributions.StudentQuantile((1 + level) / 2, degrees);
        return new ConfidenceInterval(End(-1, t), End(1, t), level);
    }

    // Where the root of the likelihood ratio reaches t. It is nearly straight in the target, so secants within a bracket find it quickly.
    private double? End(int side, double t)
    {
        ProfilePoint near = new(0, centre, 0, Begin()), far = near;
        double reach = width * t;
        for (int k = 0; far.Root < t; k++, reach *= 1.7)
        {
            near = far;
            far = At(side * reach, near.Theta);
            // Where nothing changes any more, however far: the data leave this end open.
            if (far.Root < t && (k == 30 || (k > 8 && far.Root - near.Root < 1e-4 * t))) return null;
        }
        int repeats = 0;
        bool? last = null;
        for (int k = 0; k < 60 && far.Root - t > 1e-8 && t - near.Root > 1e-8 && Math.Abs(far.Offset - near.Offset) > 1e-12 * width; k++)
        {
            double share = repeats > 1 ? 0.5 : (t - near.Root) / (far.Root - near.Root);
            ProfilePoint between = At(near.Offset + share * (far.Offset - near.Offset), near.Theta);
            bool low = between.Root < t;
            // The same end moved again and again: halve instead.
            repeats = low == last && repeats <= 1 ? repeats + 1 : 0;
            last = low;
            if (low) near = between;
            else far = between;
        }
        return t - near.Root < far.Root - t ? near.G : far.G;
    }

    // The target is the centre plus the offset; the function ends at G, a little short of it, with this root of the likelihood ratio.
    private readonly record struct ProfilePoint(double Offset, double G, double Root, double[] Theta);

    private ProfilePoint At(double offset, double[] start)
    {
        var penalty = new Penalty(function, centre + offset, 300 * scale / (width * width));
        whole.Penalty = penalty;
        Minimum best = region.Minimize(whole, start);
        double[] theta = best.Point;
        if (withoutAbsent is not null)
        {
            withoutAbsent.Penalty = penalty;
            Minimum without = smaller!.Minimize(withoutAbsent, withoutAbsent.Free(start));
            if (without.Value <= best.Value) theta = withoutAbsent.Complete(without.Point);
        }
        int n = theta.Length;
        double[] gradient = new double[n], hessian = new double[n * n];
        whole.Penalty = null;
        double value = whole.Evaluate(theta, gradient, hessian), g = function.Evaluate(theta, gradient, hessian);
        return new ProfilePoint(offset, g, Math.Sqrt(Math.Max(0, 2 * (value - fit.Objective) / scale)), theta);
    }

    private double[] Begin() => [.. origin.Select(v => v <= VanishingTerm.Absent ? Math.Log(0.01 * fit.Points.Min(p => p.Loss)) : v)];

    // Of g, from the curvature at the fit: sqrt(s^2 g' H^-1 g); a guess that only sets the first step.
    private double StandardError()
    {
        FitObjective at = withoutAbsent ?? whole;
        int free = at.Dimension, n = origin.Length;
        double[] gradient = new double[free], hessian = new double[free * free], vectors = new double[free * free];
        at.Evaluate(at.Free(origin), gradient, hessian);
        double[] slope = new double[n];
        function.Evaluate(Begin(), slope, new double[n * n]);
        double[] freeSlope = at.Free(slope);
        SymmetricEigen.Decompose(hessian, vectors, free);
        double sum = 0;
        for (int k = 0; k < free; k++)
        {
            double along = 0, value = hessian[k * free + k];
            for (int i = 0; i < free; i++) along += vectors[i * free + k] * freeSlope[i];
            if (value > 0) sum += along * along / value;
        }
        double error = Math.Sqrt(sum * scale);
        return error is > 1e-12 and < 1e3 ? error : 0.05 * Math.Max(1, Math.Abs(centre));
    }

    private static TrustRegion Region(int dimension) => new(dimension) { Tolerance = 1e-11 };
}
