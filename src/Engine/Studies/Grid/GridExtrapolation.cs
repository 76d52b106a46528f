using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Extrapolation;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Grid;

/// <summary>
/// Forms ranked by extrapolation over a grid: of compute along the frontier, of data at the largest model, of parameters at the most data,
/// and of both together. About a quarter of the points, those of the largest resource, are held out.
/// </summary>
internal static class GridExtrapolation
{
    private const int FewestPoints = 5;

    /// <param name="points">Any order.</param>
    /// <param name="itemName">What D counts.</param>
    /// <param name="stop">Heard between tests.</param>
    public static IReadOnlyList<ExtrapolationSummary> Of(IReadOnlyList<GridPoint> points, string itemName, CancellationToken stop = default)
    {
        if (points.Count == 0) return [];
        long most = points.Max(p => p.Items), largest = points.Max(p => p.Parameters);
        ExtrapolationSummary?[] tests =
        [
            Tested("C along the frontier", [.. GridFits.Frontier(points)], ScalingFamilies.OfOneResource, [Resource.Compute], Resource.Compute),
            Tested(FormattableString.Invariant($"D at N = {largest:N0}"), [.. points.Where(p => p.Parameters == largest)], ScalingFamilies.OfOneResource,
                [Resource.Data], Resource.Data),
            Tested(FormattableString.Invariant($"N at D = {most:N0} {itemName}"), [.. points.Where(p => p.Items == most)], ScalingFamilies.OfOneResource,
                [Resource.Parameters], Resource.Parameters),
            Tested("N and D, the large being those of most C", points, ScalingFamilies.Joint, [Resource.Parameters, Resource.Data], Resource.Compute),
        ];
        return [.. tests.OfType<ExtrapolationSummary>()];

        ExtrapolationSummary? Tested(string series, IReadOnlyList<GridPoint> some, IReadOnlyList<ScalingFamily> families, Resource[] resources, Resource split)
        {
            stop.ThrowIfCancellationRequested();
            return Test(series, some, families, resources, split);
        }
    }

    private static ExtrapolationSummary? Test(string series, IReadOnlyList<GridPoint> points, IReadOnlyList<ScalingFamily> families, Resource[] resources,
        Resource split)
    {
        if (points.Count < FewestPoints) return null;
        ScalingPoint[] all = [.. points.Select(p => new ScalingPoint { N = p.Parameters, D = p.Items, C = p.Compute, Loss = p.Loss, Name = p.Name })];
        double[] sizes = [.. all.Select(p => p.Of(split)).OrderDescending()];
        int held = Math.Max(1, sizes.Length / 4);
        while (held < sizes.Length && !(sizes[held] < sizes[held - 1] * 0.999)) held++;
        if (held > sizes.Length / 2) return null;
        double threshold = Math.Sqrt(sizes[held - 1] * sizes[held]);
        ExtrapolationTest test;
        try
        {
            test = ExtrapolationTest.Run(new ScalingPoints(all), families, resources, split, sizes[0] / threshold);
        }
        catch (InputException)
        {
            return null;
        }
        return new ExtrapolationSummary
        {
            Series = series,
            Small = test.TrainingCount,
            Large = test.TestCount,
            Reach = sizes[held - 1] / sizes[held],
            Rows = [.. test.Scores.Select(s => new ExtrapolationRow(s.Form, s.Rank, s.LogError, s.Bias, s.TrainingError, s.Refusal ?? ""))],
        };
    }
}
