namespace ChemScale.Engine.Scaling.Allocation;

/// <summary>The runs that nothing cheaper equals: lowest loss for their compute. A fit of these to C is the compute-optimal L(C).</summary>
public static class ComputeFrontier
{
    /// <summary>The frontier, compute ascending; the rest are excluded by name.</summary>
    public static ScalingPoints Of(ScalingPoints points)
    {
        var frontier = new HashSet<ScalingPoint>(ReferenceEqualityComparer.Instance);
        double best = double.PositiveInfinity;
        foreach (ScalingPoint point in points.Kept.OrderBy(p => p.Of(Resource.Compute)).ThenBy(p => p.Loss))
        {
            if (point.Loss >= best) continue;
            best = point.Loss;
            frontier.Add(point);
        }
        ScalingPoints kept = points.Exclude(p => !frontier.Contains(p), "a run of no more compute has no more loss");
        return kept with { Kept = [.. kept.Kept.OrderBy(p => p.Of(Resource.Compute))] };
    }
}
