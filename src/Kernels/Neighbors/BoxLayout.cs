namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// Where the parts of a frame's box stand in its row of <c>boxes</c>: lattice vectors where it repeats and unit vectors where it does not
/// (rows), the inverse of their matrix, and the distances of the planes that repeat, 0 along a direction that does not.
/// </summary>
public static class BoxLayout
{
    public const int Basis = 0;
    public const int Inverse = 9;
    public const int Heights = 18;
    public const int Length = 21;
}
