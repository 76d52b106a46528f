using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Allocation;

/// <summary>The best model size at one compute, from a parabola of log loss in log N.</summary>
/// <param name="Compute">Geometric mean of the group, FLOP.</param>
/// <param name="Count">Runs in the group.</param>
/// <param name="Parameters">N at the minimum; null where the parabola has none or it lies outside the runs.</param>
/// <param name="Data">D = C / (6 N) there.</param>
/// <param name="Loss">There.</param>
/// <param name="Problem">Why there is none; null where there is one.</param>
public sealed record IsoFlopMinimum(double Compute, int Count, double? Parameters, double? Data, double? Loss, string? Problem);

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
        return new IsoFlopMinimum(compute, x.Length, n, compute / (6 * n), Math.Exp(c0 + best * (c1 + c2 * best)), null);

        IsoFlopMinimum None(string problem) => new(compute, group.Count, null, null, null, problem);
    }
}
