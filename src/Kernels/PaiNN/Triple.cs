namespace ChemScale.Kernels.PaiNN;

/// <summary>The parts a, b, c of an atom's context or of a filter, or the components x, y, z of a vector.</summary>
public struct Triple<TPack>
    where TPack : unmanaged
{
    public TPack A;
    public TPack B;
    public TPack C;
}
