using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Estimation.Extrapolation;

/// <summary>A learning curve fitted by least squares, to be read beyond its end. Its floor is not negative.</summary>
/// <param name="Form">Its shape.</param>
/// <param name="Size">1 / b2, or a.</param>
/// <param name="Shape">b1 / b2, or b.</param>
/// <param name="Floor">b3, or c.</param>
/// <param name="Count">Values fitted to.</param>
/// <param name="ResidualRms">Root mean square of the residuals.</param>
internal sealed record CurveExtrapolation(CurveForm Form, double Size, double Shape, double Floor, int Count, double ResidualRms)
{
    public const int FewestValues = 4;

    private const int Blocks = 10;

    /// <summary>Of LCGA; null for the other form.</summary>
    public double? B1 => Form == CurveForm.Lcga ? Shape / Size : null;

    /// <summary>Of LCGA; null for the other form.</summary>
    public double? B2 => Form == CurveForm.Lcga ? 1 / Size : null;

    /// <param name="form">Shape.</param>
    /// <param name="times">Above 0, in any unit.</param>
    /// <param name="losses">At these times.</param>
    /// <exception cref="InputException">Fewer than <see cref="FewestValues"/> values, or one that is not finite.</exception>
    public static CurveExtrapolation Fit(CurveForm form, IReadOnlyList<double> times, IReadOnlyList<double> losses)
    {
        if (times.Count < FewestValues) throw new InputException("learning curve", $"{times.Count} values", $"at least {FewestValues}");
        if (!losses.All(double.IsFinite) || !times.All(t => t > 0))
            throw new InputException("learning curve", "a loss that is not finite, or a time not above 0");
        (double[] best, double value) = Minimize(form, times, losses, true);
        if (best[2] < 0) (best, value) = Minimize(form, times, losses, false);
        return new CurveExtrapolation(form, best[0], Math.Exp(best[1]), best.Length > 2 ? best[2] : 0, times.Count,
            Math.Sqrt(2 * value / times.Count));
    }

    /// <summary>
    /// Training losses of a probe's whole epochs against epochs; of ten blocks of its steps where it has fewer than
    /// five.
    /// </summary>
    /// <exception cref="InputException">The probe is too short, or diverged.</exception>
    public static CurveExtrapolation Fit(CurveForm form, ProbeView probe)
    {
        (double[] times, double[] losses) = Series(probe.Curve);
        return Fit(form, times, losses);
    }

    /// <summary>Loss predicted at the end of the whole run.</summary>
    /// <inheritdoc cref="Fit(CurveForm, ProbeView)"/>
    public static double FinalLoss(CurveForm form, ProbeView probe) =>
        Fit(form, probe).Predict(probe.FullLength / (double)(probe.Curve.Steps.Count > 0 ? probe.Curve.StepsPerEpoch : 1));

    public double Predict(double time) => Size * CurveObjective.Phi(Form, time, Math.Log(Shape)).Value + Floor;

    // Each value stands at the end of what it is the mean of.
    private static (double[] Times, double[] Losses) Series(LossCurve curve)
    {
        EpochLoss[] whole = [.. curve.Epochs.Where(e => curve.Steps.Count == 0 || e.Steps >= curve.StepsPerEpoch)];
        if (whole.Length > FewestValues || curve.Steps.Count < Blocks)
            return ([.. Enumerable.Range(1, whole.Length).Select(k => (double)k)], [.. whole.Select(e => e.Mean)]);
        double[] times = new double[Blocks], losses = new double[Blocks];
        for (int b = 0; b < Blocks; b++)
        {
            int from = b * curve.Steps.Count / Blocks, to = (b + 1) * curve.Steps.Count / Blocks;
            times[b] = to / (double)curve.StepsPerEpoch;
            losses[b] = curve.Steps.Skip(from).Take(to - from).Average(s => s.Loss);
        }
        return (times, losses);
    }

    private static (double[] Point, double Value) Minimize(CurveForm form, IReadOnlyList<double> times, IReadOnlyList<double> losses,
        bool floored)
    {
        // Losses in units of their largest: the gradient's tolerance then means the same for every run.
        double unit = losses.Max(Math.Abs);
        double[] scaled = [.. losses.Select(l => l / unit)];
        var objective = new CurveObjective(form, times, scaled, floored);
        var region = new TrustRegion(objective.Dimension) { Tolerance = 1e-13 };
        (double low, double high) = form == CurveForm.Lcga
            ? (Math.Log(times[0] * 1e-2), Math.Log(times[^1] * 10)) : (Math.Log(0.05), Math.Log(4));
        Minimum best = Enumerable.Range(0, 12).Select(k => Start(low + (high - low) * k / 11)).Select(s => region.Minimize(objective, s))
            .MinBy(m => m.Value);
        double[] point = [.. best.Point];
        point[0] *= unit;
        if (floored) point[2] *= unit;
        return (point, best.Value * unit * unit);

        // Given the shape, size and floor are a straight line in phi.
        double[] Start(double shape)
        {
            double[] phi = [.. times.Select(t => CurveObjective.Phi(form, t, shape).Value)];
            if (!floored) return [phi.Zip(scaled, (p, l) => p * l).Sum() / phi.Sum(p => p * p), shape];
            var line = Numerics.LinearRegression.Fit(phi, scaled);
            return line is null ? [0, shape, scaled.Average()] : [line.Slope, shape, line.Intercept];
        }
    }
}

/// <summary>Shape of a learning curve over training time k.</summary>
public enum CurveForm
{
    /// <summary>L = 1 / (b1 + b2 k) + b3.</summary>
    Lcga,

    /// <summary>L = a k^-b + c.</summary>
    PowerLaw,
}

/// <summary>
/// Half the sum of squares of (size phi(k; shape) + floor - loss), with phi = 1 / (k + e^shape) or k^(-e^shape). Variables are size, shape
/// and, unless it is held at 0, the floor.
/// </summary>
internal sealed class CurveObjective(CurveForm form, IReadOnlyList<double> times, IReadOnlyList<double> losses, bool floored)
    : ISmoothObjective
{
    public int Dimension => floored ? 3 : 2;

    public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian)
    {
        int n = Dimension;
        gradient.Clear();
        hessian.Clear();
        Span<double> slope = stackalloc double[3];
        double sum = 0, size = x[0];
        for (int i = 0; i < times.Count; i++)
        {
            (double phi, double first, double second) = Phi(form, times[i], x[1]);
            double r = size * phi + (floored ? x[2] : 0) - losses[i];
            sum += r * r / 2;
            slope[0] = phi;
            slope[1] = size * first;
            slope[2] = 1;
            for (int a = 0; a < n; a++)
            {
                gradient[a] += r * slope[a];
                for (int b = 0; b < n; b++) hessian[a * n + b] += slope[a] * slope[b];
            }
            hessian[1] += r * first;
            hessian[n] += r * first;
            hessian[n + 1] += r * size * second;
        }
        return sum;
    }

    /// <summary>phi and its first two derivatives in the shape.</summary>
    public static (double Value, double First, double Second) Phi(CurveForm form, double time, double shape)
    {
        double e = Math.Exp(shape);
        if (form == CurveForm.Lcga)
        {
            double phi = 1 / (time + e);
            return (phi, -e * phi * phi, -e * phi * phi + 2 * e * e * phi * phi * phi);
        }
        double log = Math.Log(time), power = Math.Exp(-e * log);
        return (power, -e * log * power, (e * e * log * log - e * log) * power);
    }
}
