using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Estimation.Extrapolation;

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
