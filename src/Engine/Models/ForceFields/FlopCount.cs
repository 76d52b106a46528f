namespace ChemScale.Engine.Models.ForceFields;

/// <summary>
/// Floating-point operations of one forward pass to energies, a multiplication and an addition counting two: products with weights, products
/// of tensors, sums of messages. Radial functions, harmonics and activations, a few per cent, are left out, as they are in 6 N D.
/// </summary>
/// <param name="PerAtom">FLOP for each atom.</param>
/// <param name="PerPair">FLOP for each directed edge: each pair of neighbours counts twice.</param>
public readonly record struct FlopCount(double PerAtom, double PerPair)
{
    /// <summary>Forward passes that energies and forces cost: each product Y = X W once more, for dX = dY W^T.</summary>
    public const double WithForces = 2;

    /// <summary>Forward passes that a training step on energies alone costs: the pass, and the gradients of inputs and weights of each product.</summary>
    public const double TrainingOnEnergies = 3;

    /// <summary>
    /// Forward passes that a training step on forces costs: the pass and its derivative, two products, each of which is differentiated by both
    /// its factors.
    /// </summary>
    public const double TrainingOnForces = 6;

    public static FlopCount operator +(FlopCount a, FlopCount b) => new(a.PerAtom + b.PerAtom, a.PerPair + b.PerPair);

    public static FlopCount operator *(double factor, FlopCount count) => new(factor * count.PerAtom, factor * count.PerPair);

    /// <inheritdoc cref="op_Addition"/>
    public static FlopCount Add(FlopCount left, FlopCount right) => left + right;

    /// <inheritdoc cref="op_Multiply"/>
    public static FlopCount Multiply(double left, FlopCount right) => left * right;

    /// <summary>FLOP of one forward pass of a frame.</summary>
    public double Of(double atoms, double pairs) => PerAtom * atoms + PerPair * pairs;
}
