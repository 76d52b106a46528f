namespace ChemScale.Engine.Scaling.Fitting;

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
