using System.Text.Json.Serialization;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Fitting;

/// <summary>One fitted parameter.</summary>
/// <param name="Name">As in the formula.</param>
/// <param name="Value">As in the formula.</param>
/// <param name="FittedName">Of the number that was fitted: the value itself or its logarithm.</param>
/// <param name="Fitted">That number; null where the value is 0 and its logarithm none.</param>
internal sealed record FittedParameter(string Name, double Value, string FittedName, double? Fitted);

/// <summary>What a fit says of one point.</summary>
/// <param name="Name">Of the point.</param>
/// <param name="Loss">Observed.</param>
/// <param name="Predicted">By the fit.</param>
/// <param name="LogResidual">log observed - log predicted.</param>
public sealed record FitResidual(string Name, double Loss, double Predicted, double LogResidual);

/// <summary>A family fitted to points.</summary>
/// <param name="Family">The form.</param>
/// <param name="Theta">(parameters), fitted.</param>
/// <param name="Points">Fitted to.</param>
/// <param name="Loss">Of a residual.</param>
internal sealed record ScalingFit([property: JsonIgnore] ScalingFamily Family, [property: JsonIgnore] IReadOnlyList<double> Theta,
    [property: JsonIgnore] IReadOnlyList<ScalingPoint> Points, [property: JsonIgnore] ResidualLoss Loss)
{
    public string Form => Family.Name;

    public string Formula => Family.Formula;

    /// <summary>In the order of the formula's.</summary>
    public required IReadOnlyList<Resource> Resources { get; init; }

    public required IReadOnlyList<FittedParameter> Parameters { get; init; }

    public string LossFunction => Loss.ToString();

    /// <summary>Weighted sum over points.</summary>
    public required double Objective { get; init; }

    /// <summary>Largest component of its gradient in the fitted parameters.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Of the Hessian in the fitted parameters: near 0, the data leave a direction open.</summary>
    public required double LeastCurvature { get; init; }

    /// <summary>
    /// The gradient is below 1e-12, or the rounding error of its sum where that is larger, and the curvature is
    /// positive.
    /// </summary>
    public required bool Converged { get; init; }

    /// <summary>Starting points minimised from, and how many of them ended in this minimum.</summary>
    public required int Starts { get; init; }

    public required int StartsAgreeing { get; init; }

    /// <summary>1 - residual / total sum of squares of log loss, weighted; null where the loss is constant.</summary>
    public required double? R2 { get; init; }

    /// <summary>Root of the weighted mean square of log residuals over (points - parameters): the noise of log loss.</summary>
    public required double ResidualError { get; init; }

    public required IReadOnlyList<FitResidual> Residuals { get; init; }

    public required IReadOnlyList<ExcludedPoint> Excluded { get; init; }

    /// <summary>What the reader must know before trusting it; empty when nothing.</summary>
    public required IReadOnlyList<string> Cautions { get; init; }

    public int PointCount => Points.Count;

    /// <summary>Value of a parameter of the formula.</summary>
    public double this[string name] => Parameters.Single(p => p.Name == name).Value;

    /// <summary>Loss at resources given in the order of <see cref="Resources"/>.</summary>
    public double Predict(params ReadOnlySpan<double> resources)
    {
        if (resources.Length != Family.Inputs)
            throw new ArgumentException($"{resources.Length} resources, {Family.Inputs} expected", nameof(resources));
        Span<double> logs = stackalloc double[resources.Length];
        for (int k = 0; k < logs.Length; k++) logs[k] = Math.Log(resources[k]);
        return Math.Exp(Family.LogLoss([.. Theta], logs));
    }
}
