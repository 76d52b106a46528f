using System.Globalization;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Grid;

/// <summary>Power laws through the points of a grid: loss against N for each D, against D for each N, and the compute frontier.</summary>
internal static class GridFits
{
    private const int BandPoints = 41;

    /// <param name="points">Any order.</param>
    /// <param name="itemName">What D counts.</param>
    /// <param name="resamples">Bootstrap resamples of each fit.</param>
    public static IReadOnlyList<FitSummary> Of(IReadOnlyList<GridPoint> points, string itemName, int resamples = 1000)
    {
        var series = new List<Series>();
        foreach (IGrouping<long, GridPoint> group in points.GroupBy(p => p.Items).OrderBy(g => g.Key))
            series.Add(new(ResourceNames.Parameters, Text($"D = {group.Key:N0} {itemName}"), group.Key, Resource.Parameters, [.. group]));
        foreach (IGrouping<long, GridPoint> group in points.GroupBy(p => p.Parameters).OrderBy(g => g.Key))
            series.Add(new(ResourceNames.Items, Text($"N = {group.Key:N0}"), group.Key, Resource.Data, [.. group]));
        series.Add(new(ResourceNames.Compute, "frontier", null, Resource.Compute, [.. Frontier(points)]));
        return [.. series.SelectMany(s => Fits(s, resamples))];
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

    /// <summary>Both forms; and again without the points that were still falling at the cap, where there are any.</summary>
    private static IEnumerable<FitSummary> Fits(Series series, int resamples)
    {
        Series settled = series with { Points = [.. series.Points.Where(p => !p.StillFalling)] };
        foreach (Series s in settled.Points.Length < series.Points.Length ? (Series[])[series, settled] : [series])
        {
            ScalingPoint[] points = [.. s.Points.Select(p => new ScalingPoint { N = p.Parameters, D = p.Items, C = p.Compute, Loss = p.Loss, Name = p.Name })];
            if (points.Select(p => p.Of(s.Resource)).Distinct().Count() < 2) continue;
            foreach (ScalingFamily family in (ScalingFamily[])[LogSumExpFamily.PowerLaw, LogSumExpFamily.PowerLawWithFloor])
            {
                // As many parameters as points say nothing.
                if (points.Length <= family.Parameters.Count) continue;
                if (Fit(family, points, s, resamples) is { } fit) yield return fit with { WithoutStillFalling = !ReferenceEquals(s, series) };
            }
        }
    }

    private static FitSummary? Fit(ScalingFamily family, ScalingPoint[] points, Series series, int resamples)
    {
        try
        {
            return Summarize(ScalingFitter.Fit(family, new ScalingPoints(points), series.Resource), series, points, resamples);
        }
        catch (InputException)
        {
            // The points cannot support this form: the report then has no such row.
            return null;
        }
    }

    private static FitSummary Summarize(ScalingFit fit, Series series, ScalingPoint[] points, int resamples)
    {
        Bootstrap bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Kind = BootstrapKind.Residuals, Resamples = resamples });
        ParameterInterval beta = bootstrap.Parameters().Single(p => p.Name == "beta");
        double low = Math.Log(points.Min(p => p.Of(series.Resource))), high = Math.Log(points.Max(p => p.Of(series.Resource)));
        // A little beyond the points on both sides: extrapolation starts there.
        double margin = 0.15 * (high - low);
        var band = new BandPoint[BandPoints];
        for (int i = 0; i < BandPoints; i++)
        {
            double x = Math.Exp(low - margin + (high - low + 2 * margin) * i / (BandPoints - 1));
            var interval = bootstrap.CurveInterval(0.95, x);
            band[i] = new BandPoint(x, fit.Predict(x), interval.Low ?? double.NaN, interval.High ?? double.NaN);
        }
        return new FitSummary
        {
            Resource = series.Name,
            Held = series.Held,
            HeldValue = series.HeldValue,
            Form = fit.Form,
            PointCount = fit.PointCount,
            Alpha = fit["alpha"],
            Beta = fit["beta"],
            Floor = fit.Parameters.FirstOrDefault(p => p.Name == "E")?.Value ?? 0,
            BetaLow = beta.Low,
            BetaHigh = beta.High,
            R2 = fit.R2 ?? double.NaN,
            Band = band,
            Caution = string.Join("; ", fit.Cautions),
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Points that share everything but one resource.</summary>
    private sealed record Series(string Name, string Held, double? HeldValue, Resource Resource, GridPoint[] Points);
}
