using ChemScale.Engine.Numerics.Optimization;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Fitting;

/// <summary>
/// Sum over points of weight times <see cref="ResidualLoss"/> of (f(theta; log R) - log L), with gradient and Hessian. Some parameters
/// may be
/// held; the free ones are then its variables. Holds buffers: one instance serves one thread.
/// </summary>
internal sealed class FitObjective : ISmoothObjective
{
    private readonly ScalingFamily family;
    private readonly ResidualLoss loss;
    private readonly int[] free;
    private readonly double[] theta;
    private readonly double[] pointGradient;
    private readonly double[] pointHessian;
    private readonly double[] fullGradient;
    private readonly double[] fullHessian;

    /// <param name="family">The form.</param>
    /// <param name="data">Points; may be replaced later.</param>
    /// <param name="loss">Of a residual.</param>
    /// <param name="held">Fitted values of parameters that stay; NaN where free. Null: all free.</param>
    public FitObjective(ScalingFamily family, ScalingData data, ResidualLoss loss, double[]? held = null)
    {
        this.family = family;
        this.loss = loss;
        Data = data;
        int n = family.Parameters.Count;
        theta = held is null ? new double[n] : [.. held];
        free = [.. Enumerable.Range(0, n).Where(i => held is null || double.IsNaN(held[i]))];
        pointGradient = new double[n];
        pointHessian = new double[n * n];
        fullGradient = new double[n];
        fullHessian = new double[n * n];
    }

    public ScalingData Data { get; set; }

    /// <summary>A quadratic penalty (kappa / 2) (g - target)^2 on a function of the parameters; null: none.</summary>
    public Penalty? Penalty { get; set; }

    public int Dimension => free.Length;

    public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian)
    {
        int n = theta.Length;
        for (int k = 0; k < free.Length; k++) theta[free[k]] = x[k];
        Span<double> g = fullGradient, h = fullHessian, pg = pointGradient, ph = pointHessian;
        g.Clear();
        h.Clear();
        double sum = 0;
        for (int i = 0; i < Data.Count; i++)
        {
            double weight = Data.Weight[i];
            if (weight == 0) continue;
            double r = family.LogLoss(theta, Data.LogResources(i), pg, ph) - Data.LogLoss[i];
            sum += weight * loss.Value(r);
            Add(weight * loss.Slope(r), weight * loss.Curvature(r), n);
        }
        if (Penalty is { } penalty)
        {
            double off = penalty.Function.Evaluate(theta, pg, ph) - penalty.Target;
            sum += penalty.Strength * off * off / 2;
            Add(penalty.Strength * off, penalty.Strength, n);
        }
        for (int a = 0; a < free.Length; a++)
        {
            gradient[a] = g[free[a]];
            for (int b = 0; b < free.Length; b++)
                hessian[a * free.Length + b] = free[a] <= free[b] ? h[free[a] * n + free[b]] : h[free[b] * n + free[a]];
        }
        return sum;
    }

    /// <summary>All parameters, held ones included, from the free ones.</summary>
    public double[] Complete(ReadOnlySpan<double> x)
    {
        double[] complete = [.. theta];
        for (int k = 0; k < free.Length; k++) complete[free[k]] = x[k];
        return complete;
    }

    public double[] Free(ReadOnlySpan<double> complete)
    {
        double[] x = new double[free.Length];
        for (int k = 0; k < free.Length; k++) x[k] = complete[free[k]];
        return x;
    }

    // Upper triangle: slope times second derivative plus curvature times the square of the first.
    private void Add(double slope, double curvature, int n)
    {
        double[] g = fullGradient, h = fullHessian, pg = pointGradient, ph = pointHessian;
        for (int a = 0; a < n; a++)
        {
            g[a] += slope * pg[a];
            double scaled = curvature * pg[a];
            for (int b = a; b < n; b++) h[a * n + b] += slope * ph[a * n + b] + scaled * pg[b];
        }
    }
}

/// <summary>(Strength / 2) (Function - Target)^2, added to an objective.</summary>
internal sealed record Penalty(ISmoothObjective Function, double Target, double Strength);

/// <summary>What a residual r of log loss costs: r^2 / 2, or Huber's function, linear beyond delta.</summary>
/// <param name="Delta">Infinite: squared.</param>
public readonly record struct ResidualLoss(double Delta)
{
    public static ResidualLoss Squared => new(double.PositiveInfinity);

    /// <param name="delta">1e-3 in Hoffmann et al. 2022.</param>
    public static ResidualLoss Huber(double delta = 1e-3) =>
        delta > 0 ? new(delta) : throw new InputException("Huber delta", $"{delta}", "a number above 0");

    public bool IsSquared => double.IsPositiveInfinity(Delta);

    public double Value(double r) => Math.Abs(r) <= Delta ? r * r / 2 : Delta * (Math.Abs(r) - Delta / 2);

    public double Slope(double r) => Math.Clamp(r, -Delta, Delta);

    public double Curvature(double r) => Math.Abs(r) <= Delta ? 1 : 0;

    public override string ToString() => IsSquared ? "squared" : FormattableString.Invariant($"Huber, delta {Delta:R}");
}
