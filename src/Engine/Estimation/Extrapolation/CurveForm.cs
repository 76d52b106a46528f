namespace ChemScale.Engine.Estimation.Extrapolation;

/// <summary>Shape of a learning curve over training time k.</summary>
public enum CurveForm
{
    /// <summary>L = 1 / (b1 + b2 k) + b3.</summary>
    Lcga,

    /// <summary>L = a k^-b + c.</summary>
    PowerLaw,
}
