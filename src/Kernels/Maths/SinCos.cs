namespace ChemScale.Kernels.Maths;

/// <summary>Sine and cosine of one angle.</summary>
public struct SinCos<T>
    where T : unmanaged
{
    public T Sin;
    public T Cos;
}
