namespace ChemScale.Engine.Models.ForceFields;

/// <summary>A force field that sees distances through a fixed radial basis and a cutoff function.</summary>
public abstract record RadialForceFieldConfig : ForceFieldConfig
{
    public CutoffKind CutoffFunction { get; init; } = CutoffKind.Cosine;

    /// <summary>p of the polynomial cutoff.</summary>
    public int CutoffPower { get; init; } = 6;

    public RadialBasisKind RadialBasis { get; init; } = RadialBasisKind.Gaussian;

    /// <summary>Functions in the radial basis.</summary>
    public int RadialFunctions { get; init; } = 20;

    /// <inheritdoc/>
    public override void Validate(string place = "model")
    {
        base.Validate(place);
        AtLeast(2, CutoffPower, "cutoffPower", place);
        // A single Gaussian would have no spacing to be as wide as.
        AtLeast(RadialBasis == RadialBasisKind.Gaussian ? 2 : 1, RadialFunctions, "radialFunctions", place);
    }
}
