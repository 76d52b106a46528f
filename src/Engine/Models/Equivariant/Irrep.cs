namespace ChemScale.Engine.Models.Equivariant;

/// <summary>An irreducible representation of rotations and reflections: 2 l + 1 components that turn among themselves.</summary>
/// <param name="Order">l</param>
/// <param name="Parity">What inversion multiplies them by: 1 (even) or -1 (odd).</param>
public readonly record struct Irrep(int Order, int Parity)
{
    /// <summary>0e: what nothing changes.</summary>
    public static Irrep Scalar { get; } = new(0, 1);

    /// <summary>2 l + 1</summary>
    public int Components => 2 * Order + 1;

    /// <summary>That of the spherical harmonics of an order: 0e, 1o, 2e, 3o.</summary>
    public static Irrep OfHarmonics(int order) => new(order, order % 2 == 0 ? 1 : -1);

    /// <summary>Whether the product of two representations holds <paramref name="result"/>.</summary>
    public bool CouplesWith(Irrep other, Irrep result) =>
        Parity * other.Parity == result.Parity && result.Order >= Math.Abs(Order - other.Order) && result.Order <= Order + other.Order;

    /// <summary><c>0e</c>, <c>1o</c> and so on.</summary>
    public override string ToString() => $"{Order}{(Parity > 0 ? 'e' : 'o')}";
}
