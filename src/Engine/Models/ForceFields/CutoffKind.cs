namespace ChemScale.Engine.Models.ForceFields;

/// <summary>How interactions fade out at the cutoff.</summary>
public enum CutoffKind
{
    /// <summary>(cos(pi d / cutoff) + 1) / 2: the slope is continuous.</summary>
    Cosine,

    /// <summary>A polynomial of degree p + 2: the curvature is continuous too.</summary>
    Polynomial,
}
