using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
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
    /// <param name="stop">Heard between them.</param>
    public static AllocationSummary Of(IReadOnlyList<GridPoint> points, string itemName, int resamples = 500, CancellationToken stop = default)
    {
        ScalingPoint[] all = [.. points.Where(p => p.Loss > 0 && double.IsFinite(p.Loss))
            .Select(p => new ScalingPoint { N = p.Parameters, D = p.Items, Loss = p.Loss, Name = p.Name })];
        Claim claim = Inference.Of(new ScalingPoints(all), [Resource.Parameters, Resource.Data], new ClaimOptions
        {
            Family = LogSumExpFamily.Chinchilla.Name,
            Held = "grid",
            Fit = new FitOptions { Loss = ResidualLoss.Huber(1e-3) },
            Cautions = [.. Cautions(points, itemName)],
            Bootstrap = new BootstrapOptions { Kind = BootstrapKind.Residuals, Resamples = resamples, Cancellation = stop },
        }, out Bootstrap? bootstrap);
        var summary = new AllocationSummary { Claim = claim, Cautions = claim.Cautions };
        if (claim.Grade <= ClaimGrade.NotDetermined) return summary with { Refusal = claim.Reason };
        ScalingFit fit = claim.Fit!;
        if (claim.Exponents.Any(e => e.Value < 0)) return summary with { Refusal = "the joint form does not settle on a loss that falls with both N and D" };
        double spent = points.Max(p => p.Compute);
        ComputeOptimum[] optima = [.. ((double[])[0.1, 1, 10]).Select(factor => ComputeOptimum.At(fit, spent * factor, bootstrap))];
        if (Open(optima[1].ParametersInterval))
        {
            return summary with
            {
                Refusal = FormattableString.Invariant(
                    $"at C = {spent:G3} FLOP the best N is {Text(optima[1].ParametersInterval)} with 95 % probability by bootstrap: the runs leave it open"),
            };
        }
        ComputeOptimum[] within = [.. optima.Where(o => claim.Refusal(o.Parameters, o.Data) is null)];
        int beyond = optima.Length - within.Length;
        return summary with
        {
            Exponent = ComputeOptimum.ExponentOfParameters(fit, bootstrap),
            Rows = [.. within.Select(o => Row(o, spent))],
            Cautions = beyond == 0 ? claim.Cautions
                : [.. claim.Cautions, $"{beyond} of {optima.Length} computes lead to models or data more than {Claim.FarthestAnswer:0} times beyond the grid, and are left out."],
        };
    }

    private static IEnumerable<string> Cautions(IReadOnlyList<GridPoint> points, string itemName)
    {
        if (points.Count == 0) yield break;
        double passes = points.Average(p => p.ItemsSeen / (double)p.Items);
        if (passes > 1.5)
        {
            yield return FormattableString.Invariant(
                $"C = 6 N D counts one pass over the {itemName}; the runs of the grid made {passes:F1} passes on average, so a model and data of these sizes cost that much more than C.");
        }
        int falling = points.Count(p => p.StillFalling);
        if (falling > 0) yield return $"{falling} of {points.Count} runs were still falling at the cap: the law takes their losses for final ones.";
    }

    private static bool Open(ConfidenceInterval? interval) =>
        interval is not { Low: { } low, High: { } high } || !double.IsFinite(high) || !(low > 0) || high / low > WidestRatio;

    private static string Text(ConfidenceInterval? interval) =>
        FormattableString.Invariant(
            $"between {interval?.Low ?? 0:G2} and {(interval?.High is { } high ? high.ToString("G2", System.Globalization.CultureInfo.InvariantCulture) : "anything")}");

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
