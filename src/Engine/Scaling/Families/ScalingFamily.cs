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
