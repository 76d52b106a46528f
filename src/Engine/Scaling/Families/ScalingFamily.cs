namespace ChemScale.Engine.Scaling.Families;

/// <summary>
/// A form of the loss as a function of one or more resources, log L = f(theta; log R), with its derivatives in theta. Stateless.
/// </summary>
public abstract class ScalingFamily
{
    /// <summary>For options and tables, such as "chinchilla".</summary>
    public abstract string Name { get; }

    /// <summary>Of the loss, in the natural parameters.</summary>
    public abstract string Formula { get; }

    public abstract IReadOnlyList<ParameterInfo> Parameters { get; }

    /// <summary>Resources that it takes.</summary>
    public abstract int Inputs { get; }

    /// <summary>f, its gradient and its Hessian in the fitted parameters.</summary>
    /// <param name="theta">(parameters), fitted.</param>
    /// <param name="logResources">(<see cref="Inputs"/>), natural logarithms.</param>
    /// <param name="gradient">(parameters), overwritten; empty to leave out both derivatives.</param>
    /// <param name="hessian">(parameters, parameters) row by row, overwritten; symmetric.</param>
    public abstract double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian);

    public double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources) => LogLoss(theta, logResources, [], []);

    /// <summary>Candidates to start from, many and crude; the fitter tries the best of them.</summary>
    public abstract IEnumerable<double[]> Starts(ScalingData data);

    /// <summary>Parts that may be absent.</summary>
    public virtual IReadOnlyList<VanishingTerm> Vanishing => [];
}

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

/// <summary>A part of a form that the data may not want: the logarithm of its size then runs to minus infinity.</summary>
/// <param name="Offset">Index of that logarithm among the fitted parameters.</param>
/// <param name="Name">Of the natural parameter that is 0 then.</param>
public sealed record VanishingTerm(int Offset, string Name)
{
    /// <summary>Fitted value that stands for an absent part: its exponential is exactly 0.</summary>
    public const double Absent = -1000;
}
