namespace ChemScale.Engine.Numerics.Optimization;

/// <summary>A function of a few variables with its first two derivatives.</summary>
public interface ISmoothObjective
{
    int Dimension { get; }

    /// <param name="x">(Dimension).</param>
    /// <param name="gradient">(Dimension), overwritten.</param>
    /// <param name="hessian">(Dimension, Dimension) row by row, overwritten; symmetric.</param>
    /// <returns>The value; infinity or NaN where the function is not defined.</returns>
    double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian);
}
