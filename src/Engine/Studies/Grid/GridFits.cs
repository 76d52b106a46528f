using System.Globalization;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Fits;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Grid;

/// <summary>Power laws through the points of a grid: loss against N for each D, against D for each N, and the compute frontier.</summary>
internal static class GridFits
{
    private const int BandPoints = 25;

    /// <summary>A claim on every series: those that no law fits, or that rise, are there with the reason.</summary>
    /// <param name="points">Any order.</param>
    /// <param name="itemName">What D counts.</param>
    /// <param name="stop">Heard between series.</param>
    public static IReadOnlyList<FitSummary> Of(IReadOnlyList<GridPoint> points, string itemName, CancellationToken stop = default)
    {
        if (points.Count == 0) return [];
        var series = new List<Series>();
        foreach (IGrouping<long, GridPoint> group in points.GroupBy(p => p.Items).OrderBy(g => g.Key))
            series.Add(new(ResourceNames.Parameters, Text($"D = {group.Key:N0} {itemName}"), group.Key, Resource.Parameters, [.. group]));
        foreach (IGrouping<long, GridPoint> group in points.GroupBy(p => p.Parameters).OrderBy(g => g.Key))
            series.Add(new(ResourceNames.Items, Text($"N = {group.Key:N0}"), group.Key, Resource.Data, [.. group]));
        series.Add(new(ResourceNames.Compute, "frontier", null, Resource.Compute, [.. Frontier(points)]));
        return [.. series.SelectMany(s =>
        {
            stop.ThrowIfCancellationRequested();
            return Fits(s);
        })];
    }

    /// <summary>Points that no other point beats with as little compute.</summary>
    public static IEnumerable<GridPoint> Frontier(IReadOnlyList<GridPoint> points)
    {
        double least = double.PositiveInfinity;
        foreach (GridPoint point in points.OrderBy(p => p.Compute).ThenBy(p => p.Loss))
        {
            if (point.Loss >= least) continue;
            least = point.Loss;
            yield return point;
        }
    }

    /// <summary>The power law; with a floor, where there are points enough; and again without the points still falling at the cap, where there are any.</summary>
    private static IEnumerable<FitSummary> Fits(Series series)
    {
        Series settled = series with { Points = [.. series.Points.Where(p => !p.StillFalling)] };
        foreach (Series s in settled.Points.Length < series.Points.Length && settled.Points.Length > 0 ? (Series[])[series, settled] : [series])
        {
            bool without = !ReferenceEquals(s, series);
            yield return Fit(LogSumExpFamily.PowerLaw, series, s, without);
            // As many parameters as points say nothing.
            if (s.Points.Length > LogSumExpFamily.PowerLawWithFloor.Parameters.Count) yield return Fit(LogSumExpFamily.PowerLawWithFloor, series, s, without);
        }
    }

    private static FitSummary Fit(ScalingFamily family, Series whole, Series series, bool without)
    {
        ScalingPoint[] all = [.. whole.Points.Select(p => new ScalingPoint { N = p.Parameters, D = p.Items, C = p.Compute, Loss = p.Loss, Name = p.Name })];
        HashSet<string> used = [.. series.Points.Select(p => p.Name)];
        int falling = series.Points.Count(p => p.StillFalling);
        List<string> cautions = [];
        if (falling > 0) cautions.Add($"{falling} of {series.Points.Length} points were still falling at the cap on the data seen");
        if (series.Resource == Resource.Compute) cautions.Add(FitRequest.FrontierCaution);
        ScalingPoints points = new ScalingPoints(all).Exclude(p => !(p.Loss > 0 && double.IsFinite(p.Loss)), "its loss is no number above 0")
            .Exclude(p => !used.Contains(p.Name), "still falling at the cap");
        Claim claim = Inference.Of(points, series.Resource,
            new ClaimOptions { Family = family.Name, Held = series.Held, Cautions = cautions, Pool = series.Resource == Resource.Compute });
        return new FitSummary
        {
            Resource = series.Name,
            Held = series.Held,
            HeldValue = series.HeldValue,
            WithoutStillFalling = without,
            Claim = claim,
            Band = claim.Fit is { } fit ? Band(fit, claim) : [],
        };
    }

    private static BandPoint[] Band(ScalingFit fit, Claim claim)
    {
        double low = Math.Log(claim.Points.Min(p => p.At[0])), high = Math.Log(claim.Points.Max(p => p.At[0]));
        // A little beyond the points on both sides: extrapolation starts there.
        double margin = 0.15 * (high - low);
        return [.. Enumerable.Range(0, BandPoints).Select(i =>
        {
            double x = Math.Exp(low - margin + (high - low + 2 * margin) * i / (BandPoints - 1));
            ConfidenceInterval interval = ProfileLikelihood.Curve(fit, claim.Level, x);
            return new BandPoint(x, fit.Predict(x), interval.Low ?? double.NaN, interval.High ?? double.NaN);
        })];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Points that share everything but one resource.</summary>
    private sealed record Series(string Name, string Held, double? HeldValue, Resource Resource, GridPoint[] Points);
}
