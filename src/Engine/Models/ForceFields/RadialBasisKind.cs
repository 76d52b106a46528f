namespace ChemScale.Engine.Models.ForceFields;

/// <summary>Functions a distance is expanded in.</summary>
public enum RadialBasisKind
{
    /// <summary>Evenly spaced Gaussians from 0 to the cutoff, as wide as they are apart.</summary>
    Gaussian,

    /// <summary>sin(k pi d / cutoff) / d</summary>
    Bessel,
}
