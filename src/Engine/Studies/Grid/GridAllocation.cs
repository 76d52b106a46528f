using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Grid;

/// <summary>Compute-optimal allocation of a grid: where its points settle the joint form; else the reason why they do not.</summary>
internal static class GridAllocation
{
    // An interval wider than this leaves the size open.
    private const double WidestRatio = 100;

    /// <param name="points">Any order.</param>
    /// <param name="itemName">What D counts.</param>
    /// <param name="resamples">Bootstrap resamples.</param>
    public static AllocationSummary Of(IReadOnlyList<GridPoint> points, string itemName, int resamples = 500)
    {
        ScalingPoint[] all = [.. points.Select(p => new ScalingPoint { N = p.Parameters, D = p.Items, Loss = p.Loss, Name = p.Name })];
        ScalingFit fit;
        try
        {
            fit = ScalingFitter.Fit(LogSumExpFamily.Chinchilla, new ScalingPoints(all), [Resource.Parameters, Resource.Data],
                new FitOptions { Loss = ResidualLoss.Huber(1e-3) });
        }
        catch (InputException e)
        {
            return new AllocationSummary { Refusal = $"the joint form cannot be fitted: {e.Message}" };
        }
        string law = FormattableString.Invariant(
            $"L = {Short("E")} + {Short("A")} / N^{fit["alpha"]:F3} + {Short("B")} / D^{fit["beta"]:F3}, {fit.PointCount} runs");
        if (!fit.Converged || !(fit["alpha"] > 0) || !(fit["beta"] > 0) || !(fit["A"] > 0) || !(fit["B"] > 0))
            return new AllocationSummary { Law = law, Refusal = "the joint form does not settle on a loss that falls with both N and D" };
        Bootstrap bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Kind = BootstrapKind.Residuals, Resamples = resamples });
        double spent = points.Max(p => p.Compute);
        ComputeOptimum[] optima = [.. ((double[])[0.1, 1, 10]).Select(factor => ComputeOptimum.At(fit, spent * factor, bootstrap))];
        if (Open(optima[1].ParametersInterval))
        {
            return new AllocationSummary
            {
                Law = law,
                Refusal = FormattableString.Invariant($"at C = {spent:G3} FLOP the best N is {Text(optima[1].ParametersInterval)} with 95 % probability: the runs leave it open"),
            };
        }
        int alpha = Index(fit, "alpha"), beta = Index(fit, "beta");
        ConfidenceInterval exponent = bootstrap.IntervalOf(t => Natural(fit, t, beta) / (Natural(fit, t, alpha) + Natural(fit, t, beta)));
        return new AllocationSummary
        {
            Law = law,
            Exponent = ComputeOptimum.Exponents(fit).Parameters,
            ExponentLow = exponent.Low,
            ExponentHigh = exponent.High,
            Rows = [.. optima.Select(o => Row(o, spent))],
            Cautions = [.. Cautions(points, itemName, fit)],
        };

        string Short(string name) => Numbers.Short(fit[name], 4);
    }

    private static IEnumerable<string> Cautions(IReadOnlyList<GridPoint> points, string itemName, ScalingFit fit)
    {
        double passes = points.Average(p => p.ItemsSeen / (double)p.Items);
        if (passes > 1.5)
        {
            yield return FormattableString.Invariant(
                $"C = 6 N D counts one pass over the {itemName}; the runs of the grid made {passes:F1} passes on average, so a model and data of these sizes cost that much more than C.");
        }
        int falling = points.Count(p => p.StillFalling);
        if (falling > 0) yield return $"{falling} of {points.Count} runs were still falling at the cap: the law takes their losses for final ones.";
        foreach (string caution in fit.Cautions) yield return $"The fit: {caution}.";
    }

    private static bool Open(ConfidenceInterval? interval) =>
        interval is not { Low: { } low, High: { } high } || !double.IsFinite(high) || !(low > 0) || high / low > WidestRatio;

    private static string Text(ConfidenceInterval? interval) =>
        FormattableString.Invariant(
            $"between {interval?.Low ?? 0:G2} and {(interval?.High is { } high ? high.ToString("G2", System.Globalization.CultureInfo.InvariantCulture) : "anything")}");

    private static int Index(ScalingFit fit, string name) => fit.Family.Parameters.ToList().FindIndex(p => p.Name == name);

    private static double Natural(ScalingFit fit, double[] theta, int at) => fit.Family.Parameters[at].Natural(theta[at]);

    private static AllocationRow Row(ComputeOptimum o, double spent) => new()
    {
        Compute = o.Compute,
        Beyond = o.Compute > spent * 1.000001,
        Parameters = o.Parameters,
        ParametersLow = o.ParametersInterval?.Low,
        ParametersHigh = o.ParametersInterval?.High,
        Items = o.Data,
        ItemsLow = o.DataInterval?.Low,
        ItemsHigh = o.DataInterval?.High,
        Loss = o.Loss,
        LossLow = o.LossInterval?.Low,
        LossHigh = o.LossInterval?.High,
    };
}
