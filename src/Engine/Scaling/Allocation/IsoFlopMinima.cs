using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Allocation;

/// <summary>The best model size at one compute, from a parabola of log loss in log N.</summary>
/// <param name="Compute">Geometric mean of the group, FLOP.</param>
/// <param name="Count">Runs in the group.</param>
/// <param name="Parameters">N at the minimum; null where the parabola has none or it lies outside the runs.</param>
/// <param name="Data">D there: between the points' own, where they have it; else C / (6 N).</param>
/// <param name="Loss">There.</param>
/// <param name="Problem">Why there is none; null where there is one.</param>
/// <param name="ParametersInterval">
/// Of N, by profile of the parabola's vertex, 95 %; an end that the losses leave open is null. Null with three sizes, which leave no degree of freedom.
/// </param>
public sealed record IsoFlopMinimum(double Compute, int Count, double? Parameters, double? Data, double? Loss, string? Problem,
    ConfidenceInterval? ParametersInterval = null);

/// <summary>
/// Iso-FLOP analysis (Hoffmann et al. 2022, approach 2): minima at several computes, and power laws of N and D in C through them.
/// </summary>
/// <param name="Minima">Compute ascending.</param>
/// <param name="OptimalParameters">What the minima say of N ~ C^a; refused below three.</param>
/// <param name="OptimalData">Of D ~ C^b.</param>
public sealed record IsoFlopMinima(IReadOnlyList<IsoFlopMinimum> Minima, Claim OptimalParameters, Claim OptimalData)
{
    /// <param name="points">With N and C.</param>
    /// <param name="tolerance">Runs whose compute differs by at most this share belong together.</param>
    public static IsoFlopMinima Of(ScalingPoints points, double tolerance = 0.1)
    {
        if (!(tolerance >= 0)) throw new InputException("tolerance", $"{tolerance}", "0 or more");
        var minima = new List<IsoFlopMinimum>();
        var group = new List<ScalingPoint>();
        foreach (ScalingPoint point in points.Kept.OrderBy(p => p.Of(Resource.Compute)))
        {
            if (group.Count > 0 && point.Of(Resource.Compute) > group[0].Of(Resource.Compute) * (1 + tolerance))
            {
                minima.Add(Minimum(group));
                group.Clear();
            }
            group.Add(point);
        }
        if (group.Count > 0) minima.Add(Minimum(group));
        IsoFlopMinimum[] found = [.. minima.Where(m => m.Parameters is not null)];
        return new IsoFlopMinima(minima, Along("best N", m => m.Parameters!.Value), Along("best D", m => m.Data!.Value));

        Claim Along(string quantity, Func<IsoFlopMinimum, double> of) => Inference.Of(
            new ScalingPoints([.. found.Select(m => new ScalingPoint { C = m.Compute, Loss = of(m), Name = FormattableString.Invariant($"C = {m.Compute:G4}") })]),
            Resource.Compute, new ClaimOptions { Quantity = quantity, Held = "iso-FLOP minima" });
    }

    private static IsoFlopMinimum Minimum(List<ScalingPoint> group)
    {
        double compute = Math.Exp(group.Average(p => Math.Log(p.Of(Resource.Compute))));
        double[] x = [.. group.Select(p => Math.Log(p.Of(Resource.Parameters)))];
        if (x.Distinct().Count() < 3) return None("fewer than three model sizes");
        double middle = x.Average();
        double[] normal = new double[12];
        for (int i = 0; i < x.Length; i++)
        {
            double z = x[i] - middle;
            ReadOnlySpan<double> row = [1, z, z * z, Math.Log(group[i].Loss)];
            for (int a = 0; a < 3; a++) for (int b = 0; b < 4; b++) normal[a * 4 + b] += group[i].Weight * row[a] * row[b];
        }
        if (Elimination.Solve(normal, 3) is not [var c0, var c1, > 0 and var c2]) return None("the losses do not curve upwards");
        double best = -c1 / (2 * c2), n = Math.Exp(best + middle);
        if (best + middle < x.Min() || best + middle > x.Max()) return None("the minimum lies outside the model sizes tried");
        return new IsoFlopMinimum(compute, x.Length, n, DataAt(group, n) ?? compute / (6 * n), Math.Exp(c0 + best * (c1 + c2 * best)), null,
            VertexInterval(x, [.. group.Select(p => Math.Log(p.Loss))], [.. group.Select(p => p.Weight)], best + middle, 0.95));

        IsoFlopMinimum None(string problem) => new(compute, group.Count, null, null, null, problem);
    }

    /// <summary>D at a model size, log D a straight line in log N between the two sizes beside it; null where a point has none.</summary>
    private static double? DataAt(List<ScalingPoint> group, double parameters)
    {
        if (group.Any(p => p.D is null)) return null;
        (double N, double D)[] points = [.. group.GroupBy(p => p.Of(Resource.Parameters)).OrderBy(g => g.Key)
            .Select(g => (Math.Log(g.Key), g.Average(p => Math.Log(p.D!.Value))))];
        double at = Math.Log(parameters);
        int upper = Math.Clamp(Array.FindIndex(points, p => p.N >= at), 1, points.Length - 1);
        (double n0, double d0) = points[upper - 1];
        (double n1, double d1) = points[upper];
        return Math.Exp(d0 + (d1 - d0) * (at - n0) / (n1 - n0));
    }

    /// <summary>
    /// Vertices v with which a parabola c + a (x - v)^2 fits nearly as well: its sum of squares is at most 1 + F / degrees times the least, F of
    /// one and as many degrees of freedom. As v goes far out the parabola becomes a straight line: an end is open where that fits as well.
    /// </summary>
    private static ConfidenceInterval? VertexInterval(double[] x, double[] y, double[] weights, double best, double level)
    {
        int degrees = x.Length - 3;
        if (degrees < 1) return null;
        double t = Distributions.StudentQuantile(0.5 + level / 2, degrees), limit = Squares(best) * (1 + t * t / degrees), range = x.Max() - x.Min();
        return new ConfidenceInterval(End(-1), End(1), level);

        double? End(int direction)
        {
            const int Steps = 400;
            double inside = 0, outside = 0;
            for (int i = 1; i <= Steps && outside == 0; i++)
            {
                double distance = 4 * range * i / Steps;
                if (Squares(best + direction * distance) > limit) outside = distance;
                else inside = distance;
            }
            if (outside == 0) return null;
            for (int i = 0; i < 60; i++)
            {
                double middle = (inside + outside) / 2;
                if (Squares(best + direction * middle) > limit) outside = middle;
                else inside = middle;
            }
            return Math.Exp(best + direction * outside);
        }

        double Squares(double vertex)
        {
            double w = 0, sz = 0, sy = 0, szz = 0, szy = 0;
            for (int i = 0; i < x.Length; i++)
            {
                double z = (x[i] - vertex) * (x[i] - vertex);
                w += weights[i];
                sz += weights[i] * z;
                sy += weights[i] * y[i];
                szz += weights[i] * z * z;
                szy += weights[i] * z * y[i];
            }
            double slope = (szy - sz * sy / w) / (szz - sz * sz / w), constant = (sy - slope * sz) / w, sum = 0;
            for (int i = 0; i < x.Length; i++)
            {
                double off = y[i] - constant - slope * (x[i] - vertex) * (x[i] - vertex);
                sum += weights[i] * off * off;
            }
            return sum;
        }
    }
}
