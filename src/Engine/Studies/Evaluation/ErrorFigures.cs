namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Errors of predictions, each the prediction less its reference, in one unit.</summary>
/// <param name="Count">How many.</param>
/// <param name="Mae">Mean of their absolute values.</param>
/// <param name="Rmse">Root of the mean of their squares.</param>
/// <param name="Bias">Their mean.</param>
/// <param name="Largest">The largest absolute value.</param>
public sealed record ErrorFigures(long Count, double Mae, double Rmse, double Bias, double Largest)
{
    /// <summary>The same errors in a unit of which one of this unit has <paramref name="factor"/>.</summary>
    public ErrorFigures Times(double factor) => new(Count, Mae * factor, Rmse * factor, Bias * factor, Largest * factor);
}
