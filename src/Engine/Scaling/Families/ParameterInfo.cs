namespace ChemScale.Engine.Scaling.Families;

/// <summary>How a parameter that users read comes from the one that is fitted.</summary>
public enum ParameterScale
{
    /// <summary>As it is.</summary>
    Linear,

    /// <summary>exp of the fitted one, and so above 0.</summary>
    Logarithmic,
}

/// <param name="Name">As in <see cref="ScalingFamily.Formula"/>.</param>
/// <param name="FittedName">Of the number that is fitted.</param>
/// <param name="Scale">From the latter to the former.</param>
public sealed record ParameterInfo(string Name, string FittedName, ParameterScale Scale)
{
    public double Natural(double fitted) => Scale == ParameterScale.Logarithmic ? Math.Exp(fitted) : fitted;

    public double Fitted(double natural) => Scale == ParameterScale.Logarithmic ? Math.Log(natural) : natural;

    internal static ParameterInfo Linear(string name) => new(name, name, ParameterScale.Linear);

    internal static ParameterInfo Logarithmic(string name, string? fittedName = null) =>
        new(name, fittedName ?? "log " + name, ParameterScale.Logarithmic);
}
