namespace ChemScale.Engine.Scaling.Families;

/// <summary>A part of a form that the data may not want: the logarithm of its size then runs to minus infinity.</summary>
/// <param name="Offset">Index of that logarithm among the fitted parameters.</param>
/// <param name="Name">Of the natural parameter that is 0 then.</param>
public sealed record VanishingTerm(int Offset, string Name)
{
    /// <summary>Fitted value that stands for an absent part: its exponential is exactly 0.</summary>
    public const double Absent = -1000;
}
