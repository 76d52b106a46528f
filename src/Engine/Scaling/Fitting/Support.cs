using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Fitting;

/// <summary>Whether points can carry a family at all.</summary>
public static class Support
{
    /// <summary>Why they cannot, in words; null where they can.</summary>
    public static string? Missing(ScalingFamily family, IReadOnlyList<ScalingPoint> points, IReadOnlyList<Resource> resources)
    {
        int parameters = family.Parameters.Count;
        if (points.Count < parameters + 1)
            return $"{points.Count} points for {parameters} parameters: at least {parameters + 1} are needed";
        double[] losses = [.. points.Select(p => p.Loss)];
        if (losses.Distinct().Count() == 1) return "every loss is the same";
        foreach (Resource resource in resources)
        {
            double[] values = [.. points.Select(p => p.Of(resource))];
            int distinct = values.Distinct().Count(), wanted = resources.Count == 1 ? parameters : 3;
            if (distinct < wanted)
                return $"{distinct} different values of {resource.ToString().ToLowerInvariant()}: at least {wanted} are needed";
            if (resources.Count == 1 && !(Correlation.Spearman(values, losses) < 0))
                return $"the loss does not fall as {resource.ToString().ToLowerInvariant()} grows";
        }
        return null;
    }
}
