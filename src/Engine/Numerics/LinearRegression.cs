namespace ChemScale.Engine.Numerics;

/// <summary>Ordinary least squares of y on one x: y = intercept + slope x, with what intervals need.</summary>
/// <param name="Intercept">At x = 0.</param>
/// <param name="Slope">dy/dx.</param>
/// <param name="Count">Pairs n.</param>
/// <param name="MeanX">Of the pairs.</param>
/// <param name="SumSquaresX">Sum of (x - mean)^2.</param>
/// <param name="ResidualError">s = sqrt(sum of squared residuals / (n - 2)); null below 3 pairs.</param>
/// <param name="R2">1 - residual / total sum of squares; null where y is constant.</param>
public sealed record LinearRegression(double Intercept, double Slope, int Count, double MeanX, double SumSquaresX, double? ResidualError,
    double? R2)
{
    /// <summary>Null where no line is determined: fewer than two pairs, or one x only.</summary>
    public static LinearRegression? Fit(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        int n = x.Count;
        if (n < 2) return null;
        double meanX = x.Average(), meanY = y.Average(), xx = 0, xy = 0, yy = 0;
        for (int i = 0; i < n; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
        if (!(xx > 0)) return null;
        double slope = xy / xx, residual = 0;
        for (int i = 0; i < n; i++)
        {
            double r = y[i] - meanY - slope * (x[i] - meanX);
            residual += r * r;
        }
        return new LinearRegression(meanY - slope * meanX, slope, n, meanX, xx, n > 2 ? Math.Sqrt(residual / (n - 2)) : null,
            yy > 0 ? 1 - residual / yy : null);
    }

    public double Predict(double x) => Intercept + Slope * x;

    /// <summary>Share of an observation at <paramref name="x"/> in its own fitted value: 1/n + (x - mean)^2 / Sxx.</summary>
    public double Leverage(double x) => 1.0 / Count + (x - MeanX) * (x - MeanX) / SumSquaresX;

    /// <summary>Standard error of a new observation at <paramref name="x"/>; null below 3 pairs.</summary>
    public double? PredictionError(double x) => ResidualError * Math.Sqrt(1 + Leverage(x));
}
