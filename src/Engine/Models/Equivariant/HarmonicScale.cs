namespace ChemScale.Engine.Models.Equivariant;

/// <summary>Norm of the 2 l + 1 harmonics of one order on a unit vector.</summary>
public enum HarmonicScale
{
    /// <summary>1</summary>
    Unit,

    /// <summary>sqrt(2 l + 1): each component has mean square 1 over the sphere.</summary>
    Component,

    /// <summary>sqrt((2 l + 1) / 4 pi): orthonormal over the sphere.</summary>
    Integral,
}
