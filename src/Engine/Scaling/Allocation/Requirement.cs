using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;

namespace ChemScale.Engine.Scaling.Allocation;

/// <summary>How much of one resource brings the loss to a value, the others held.</summary>
/// <param name="Resource">Asked for.</param>
/// <param name="Loss">Wanted.</param>
/// <param name="Value">Needed; null where no amount reaches it.</param>
/// <param name="Interval">By bootstrap; null without one. An open upper end: some resamples never reach the loss.</param>
public sealed record Requirement(Resource Resource, double Loss, double? Value, ConfidenceInterval? Interval)
{
    private const double LeastLog = -50, MostLog = 250;

    /// <param name="fit">Any form that falls with the resource.</param>
    /// <param name="resource">One of the fit's.</param>
    /// <param name="loss">Above 0.</param>
    /// <param name="others">Values of the fit's other resources, in its order.</param>
    /// <param name="bootstrap">Of the same fit, for the interval.</param>
    /// <param name="level">Of the interval.</param>
    public static Requirement For(ScalingFit fit, Resource resource, double loss, IReadOnlyList<double>? others = null,
        Bootstrap? bootstrap = null, double level = 0.95)
    {
        int at = fit.Resources.ToList().IndexOf(resource);
        if (at < 0) throw new InputException("resource", resource.ToString(), string.Join(", ", fit.Resources));
        if (!(loss > 0)) throw new InputException("loss", $"{loss}", "a number above 0");
        if ((others?.Count ?? 0) != fit.Resources.Count - 1)
            throw new InputException("other resources", $"{others?.Count ?? 0}", $"{fit.Resources.Count - 1}");
        double[] logs = new double[fit.Resources.Count];
        for (int k = 0, o = 0; k < logs.Length; k++) if (k != at) logs[k] = Math.Log(others![o++]);
        double value = Solve([.. fit.Theta]);
        return new Requirement(resource, loss, double.IsFinite(value) ? value : null, bootstrap?.IntervalOf(Solve, level));

        double Solve(double[] theta)
        {
            double[] x = [.. logs];
            double low = LeastLog, high = MostLog;
            if (LogLoss(high) > Math.Log(loss)) return double.PositiveInfinity;
            if (LogLoss(low) <= Math.Log(loss)) return 0;
            for (int k = 0; k < 200 && high - low > 1e-13 * Math.Abs(high); k++)
            {
                double middle = (low + high) / 2;
                if (LogLoss(middle) > Math.Log(loss)) low = middle;
                else high = middle;
            }
            return Math.Exp((low + high) / 2);

            double LogLoss(double logResource)
            {
                x[at] = logResource;
                return fit.Family.LogLoss(theta, x);
            }
        }
    }
}
